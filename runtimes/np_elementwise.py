"""NumPy kernels of `graphc.ops.elementwise`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from graphc.runtimes.kernel import Call, Kernel, Step
from graphc.runtimes.np_blocks import passes
from graphc.runtimes.np_erf import ERF_SCRATCH, erf


def ufunc(function: Callable[..., Any]) -> Kernel:
    """The kernel of an op that is one NumPy ufunc of its operands."""

    def bind(call: Call) -> Step:
        return partial(function, *call.inputs, call.outputs[0])  # a keyword `out` would cost a tenth of a microsecond

    return Kernel(bind, in_place=True)


def _extreme(function: Callable[..., Any]) -> Kernel:
    # NumPy takes the result of maximum and minimum as a keyword only.
    return Kernel(lambda call: partial(function, *call.inputs, out=call.outputs[0]), in_place=True)


def _reciprocal(call: Call) -> Step:
    return partial(np.divide, 1.0, call.inputs[0], call.outputs[0])  # np.reciprocal is not vectorised


def _div(call: Call) -> Step:
    x, y = call.inputs
    (out,) = call.outputs
    if np.issubdtype(out.dtype, np.floating):
        return partial(np.divide, x, y, out)
    if np.issubdtype(out.dtype, np.unsignedinteger):
        return partial(np.floor_divide, x, y, out)
    quotient, product = call.scratch(out.shape, out.dtype), call.scratch(out.shape, out.dtype)
    inexact, negative = call.scratch(out.shape, bool), call.scratch(out.shape, bool)

    def truncate() -> None:
        # ONNX truncates towards zero where NumPy rounds down: -7 / 2 is -3. So one is added where the quotient is
        # negative and the division left a remainder; in integers, since an int64 does not fit a float64.
        np.floor_divide(x, y, out=quotient)
        np.multiply(quotient, y, out=product)
        np.not_equal(product, x, out=inexact)
        np.less(quotient, 0, out=negative)
        np.logical_and(inexact, negative, out=inexact)
        np.add(quotient, inexact, out=out)

    return truncate


def _pow(call: Call) -> Step:
    x, y = call.inputs
    (out,) = call.outputs
    if y.ndim:
        return partial(np.power, x, y, out)

    def power() -> None:
        # A square is by far the commonest power, and several times cheaper than the general one. The exponent may be
        # a value that the graph computes, so it is looked at in each run.
        if y.item() == 2:
            np.square(x, out)
        else:
            np.power(x, y, out)

    return power


def _mod(call: Call) -> Step:
    return partial(np.fmod if call.attributes["fmod"] else np.mod, *call.inputs, call.outputs[0])


KERNELS: dict[str, Kernel] = {
    "Neg": ufunc(np.negative),
    "Abs": ufunc(np.absolute),
    "Sign": ufunc(np.sign),
    "Floor": ufunc(np.floor),
    "Ceil": ufunc(np.ceil),
    "Round": ufunc(np.rint),
    "Sqrt": ufunc(np.sqrt),
    "Reciprocal": Kernel(_reciprocal, in_place=True),
    "Exp": ufunc(np.exp),
    "Log": ufunc(np.log),
    "Expm1": ufunc(np.expm1),
    "Log1p": ufunc(np.log1p),
    "Sin": ufunc(np.sin),
    "Cos": ufunc(np.cos),
    "Tan": ufunc(np.tan),
    "Asin": ufunc(np.arcsin),
    "Acos": ufunc(np.arccos),
    "Atan": ufunc(np.arctan),
    "Sinh": ufunc(np.sinh),
    "Cosh": ufunc(np.cosh),
    "Tanh": ufunc(np.tanh),
    "Asinh": ufunc(np.arcsinh),
    "Acosh": ufunc(np.arccosh),
    "Atanh": ufunc(np.arctanh),
    "Erf": passes(lambda _attributes: erf, scratch=ERF_SCRATCH),
    "Add": ufunc(np.add),
    "Sub": ufunc(np.subtract),
    "Mul": ufunc(np.multiply),
    "Div": Kernel(_div, in_place=True),
    "Pow": Kernel(_pow, in_place=True),
    "Max": _extreme(np.maximum),
    "Min": _extreme(np.minimum),
    "Mod": Kernel(_mod, in_place=True),
}
