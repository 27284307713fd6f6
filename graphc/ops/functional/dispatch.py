"""How a function of `graphc.ops` reaches the thing that can carry it out.

A function is written once, on top of `apply`. What its arguments are decides what happens:

* arrays and numbers: the op runs at once (the evaluator is handed in by `graphc.compiler`);
* traced tensors, or variables while a layer is traced: a node is emitted into the graph being built;
* symbolic tensors of a functional model: the call of the whole function is recorded in the layer graph, and the function
  runs again, traced, when the model is lowered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from graphc.errors import DataError, GraphcError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, Shape
from graphc.ops.functional.tracing import TracedTensor, Tracer, current_tracer

F = TypeVar("F", bound=Callable[..., Any])
Evaluator = Callable[[str, Sequence[Any], Mapping[str, Any]], tuple[Any, ...]]

_evaluator: list[Evaluator] = []


def use_evaluator(evaluator: Evaluator) -> None:
    """Say how an op runs on arrays at once; called once, by the module that knows the runtimes."""
    _evaluator[:] = [evaluator]


def function(implementation: F) -> F:
    """Make an implementation a public function: calls with symbolic tensors are recorded instead of run."""

    @wraps(implementation)
    def call(*args: Any, **kwargs: Any) -> Any:
        for leaf in leaves((args, kwargs)):
            if getattr(leaf, "is_symbolic", False):
                return leaf.record(call, args, kwargs)
        return implementation(*args, **kwargs)

    call.is_graphc_function = True  # type: ignore[attr-defined]
    return cast(F, call)


def leaves(structure: Any) -> Iterator[Any]:
    """What lists, tuples and dicts hold, in order."""
    todo = [structure]
    while todo:
        item = todo.pop()
        if isinstance(item, list | tuple):
            todo += reversed(item)
        elif isinstance(item, dict):
            todo += reversed(list(item.values()))
        else:
            yield item


def _tracer_for(inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Tracer | None:
    for x in inputs:
        if isinstance(x, TracedTensor):
            return x.tracer
    tracer = current_tracer()
    if tracer is None:
        return None
    if any(is_variable(x) for x in inputs):
        return tracer
    named = any(
        isinstance(v, Dim) or (isinstance(v, tuple) and any(isinstance(d, Dim) for d in v)) for v in attributes.values()
    )
    return tracer if named else None


def is_variable(x: Any) -> bool:
    """True for `Variable`s."""
    return hasattr(x, "assign") and hasattr(x, "array")


def as_array(x: Any) -> np.ndarray[Any, Any]:
    """An argument as a NumPy array of numbers or booleans.

    Raises:
        DataError: it holds something else.
    """
    if is_variable(x):
        return cast("np.ndarray[Any, Any]", x.array)
    array = np.asarray(x)
    if not hasattr(x, "dtype"):  # Python's own numbers and lists of them
        array = array.astype({"float64": "float32", "int64": "int32"}.get(array.dtype.name, array.dtype))
    if array.dtype.kind not in "biuf":
        raise DataError(f"Expected numbers or booleans; got {type(x).__name__} with dtype {array.dtype}: {x!r:.80}.")
    return array


def apply_many(op: str, inputs: Sequence[Any], **attributes: Any) -> tuple[Any, ...]:
    """Carry out one op with any number of results."""
    tracer = _tracer_for(inputs, attributes)
    if tracer is not None:
        return tracer.apply(op, inputs, attributes)
    if not _evaluator:
        raise GraphcError("No evaluator is set: import graphc, not one of its parts.")
    return _evaluator[0](op, [None if x is None else as_array(x) for x in inputs], attributes)


def apply(op: str, *inputs: Any, **attributes: Any) -> Any:
    """Carry out one op with one result."""
    return apply_many(op, inputs, **attributes)[0]


def dtype_of(x: Any) -> str:
    """The dtype of an argument; "weak int" and "weak float" for Python's own numbers, "weak int" for named dims."""
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int | Dim):
        return "weak int"
    if isinstance(x, float):
        return "weak float"
    found = getattr(x, "dtype", None)
    return dtypes.standardize_dtype(found) if found is not None else dtypes.standardize_dtype(as_array(x).dtype)


def shape_of(x: Any) -> Shape:
    """The shape of an argument, with named dims where it is traced."""
    if isinstance(x, TracedTensor):
        return x.type.shape
    if isinstance(x, Dim):
        return ()
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def cast_to(x: Any, dtype: str) -> Any:
    """``x`` in another dtype; ``x`` itself when it has it already."""
    if isinstance(x, bool | int | float):
        return np.asarray(x).astype(dtypes.numpy_dtype(dtype))
    if isinstance(x, Dim):
        return apply("DimSize", dim=x, dtype=dtype)
    if dtype_of(x) == dtype:
        return x
    return apply("Cast", x, to=dtype)


def promote(*operands: Any, to_float: bool = False) -> tuple[Any, ...]:
    """The operands in the one dtype they promote to (Keras's rule); with ``to_float`` an integer dtype becomes float32."""
    found = [dtype_of(x) for x in operands]
    if any(isinstance(x, TracedTensor) for x in operands):
        # An array from outside is float64 only because NumPy's default is; it does not widen a traced float32.
        found = [
            "weak float" if d == "float64" and isinstance(x, np.ndarray | np.generic) else d
            for d, x in zip(found, operands, strict=True)
        ]
    target = dtypes.result_dtype(*found)
    if to_float and not dtypes.is_float(target):
        target = "float32"
    return tuple(cast_to(x, target) for x in operands)
