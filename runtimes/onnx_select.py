"""ONNX rows of `graphc.ops.select`."""

from __future__ import annotations

from graphc.runtimes.onnx_formula import SMALL_INTEGERS, apply, formula, where
from graphc.runtimes.onnx_lowering import Lowering, Row, Same

# ONNX Runtime's CPU provider chooses between these dtypes only after a cast; uint64 to int64 and back wraps around.
_WHERE_WIDER = {**SMALL_INTEGERS, "uint64": "int64"}

_where = formula(lambda _, condition, x, y: where(condition, x, y), _WHERE_WIDER, like=1)
_where_bool = formula(lambda _, c, x, y: apply("Or", apply("And", c, x), apply("And", apply("Not", c), y)))


def _where_row(lowering: Lowering) -> None:
    row = _where_bool if lowering.type(1).dtype == "bool" else _where
    row(lowering)


ROWS: dict[str, Row] = {
    "Where": _where_row,
    "Clip": formula(lambda _, *operands: apply("Clip", *operands), SMALL_INTEGERS),
    "Cast": Same(attributes=("to",)),
    "Identity": Same(),
    "StopGradient": Same("Identity"),
}
