"""What one row of the table of op cases holds (`cases.py` joins the families' rows)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """An op, operands, attributes, and an independent way to know the answer.

    Attributes:
        op: the op's name.
        inputs: operands; None for an absent optional one. Float operands are float64 here: the tests cast them to each
            of ``dtypes``; integer and boolean operands are used as they are.
        attributes: given to the builder as they are.
        oracle: called with the operands and the attributes as keywords; gives the result, or a tuple of results. A
            plain NumPy one-liner or a naive loop, never graphc.
        dtypes: the float dtypes to run in.
        differentiate: the operand indices whose gradient is checked; by default every float operand, when the op has a
            VJP. Operands must stay away from kinks (Relu at 0) by more than the finite-difference step.
        second_order: also check the gradient of the gradient; False for ops with the NON_SMOOTH trait by default.
        onnx: "" when ONNX Runtime must agree, else the reason why it cannot run this case; or reasons by float dtype.
        rtol: relative tolerance in float32 against the oracle; float64 uses 1e-12 where the op is element-wise.
        atol: absolute tolerance in float32.
        id: what makes this case special, shown in the test's name.
    """

    op: str
    inputs: Sequence[Array | None]
    oracle: Callable[..., Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    dtypes: Sequence[str] = ("float32", "float64")
    differentiate: Sequence[int] | None = None
    second_order: bool | None = None
    onnx: str | Mapping[str, str] = ""
    rtol: float = 1e-6
    atol: float = 1e-6
    id: str = ""
