"""What the recurrent ops refuse, and that an activation's value tells its slope."""

from __future__ import annotations

from typing import Any

import pytest

from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS

Shapes = list[tuple[str, tuple[object, ...]] | None]
X, W, R, B = ("time", "batch", 5), (1, 8, 5), (1, 8, 2), (1, 16)


def emit(op: str, shapes: Shapes, **attributes: Any) -> tuple[TensorType, ...]:
    builder = Builder(Graph("rules"), OPS)
    values = [None if one is None else builder.input(f"x{i}", TensorType.of(*one)) for i, one in enumerate(shapes)]
    node = builder.emit_node(op, values, **{"hidden_size": 2, **attributes})
    return tuple(v.type for v in node.outputs)


def floats(*shapes: tuple[object, ...] | None) -> Shapes:
    return [None if shape is None else ("float32", shape) for shape in shapes]


def test_named_lengths_are_kept_and_known_ones_preferred() -> None:
    types = emit("LSTM", [*floats(X, W, R, B), ("int32", ("samples",)), *floats((1, "batch", "units"), None)])
    assert [str(t) for t in types] == [
        "float32[time, 1, batch, 2]",
        "float32[1, batch, 2]",
        "float32[1, batch, 2]",
        "float32[1, time, batch, 8]",
        "float32[1, time, batch, 2]",
    ]


REFUSALS: list[tuple[str, Shapes, dict[str, Any], type[GraphcError], str]] = [
    ("LSTM", floats((3, 5), W, R), {}, ShapeError, r"x must have the axes \[T, B, I\]; got float32\[3, 5\]"),
    ("LSTM", floats(X, (1, 8, 6), R), {}, ShapeError, r"w has the axes \[D, 4H, I\], and I is 5 by x"),
    ("LSTM", floats(X, (1, 6, 5), R), {}, ShapeError, "4H is 8 by the attributes"),
    ("LSTM", floats(X, (2, 8, 5), R), {}, ShapeError, "D is 1 by the attributes"),
    ("LSTM", floats(X, W, R), {"direction": "bidirectional"}, ShapeError, "D is 2 by the attributes"),
    ("LSTM", floats(X, W, R, (1, 8)), {}, ShapeError, r"b has the axes \[D, 8H\]"),
    ("LSTM", floats((3, 4, 5), W, R, None, None, (1, 3, 2)), {}, ShapeError, "initial_h .* B is 4 by x"),
    ("LSTM", floats(X, W, R), {"hidden_size": 0}, ShapeError, "hidden_size must be at least 1"),
    ("LSTM", floats(X, W, R), {"direction": "both"}, ArgumentError, "one of"),
    ("LSTM", floats(X, W, R), {"activations": ("Tanh",)}, ArgumentError, "activations must hold 3 names"),
    ("LSTM", floats(X, W, R), {"activations": "Tanh"}, ArgumentError, "must be of kind strs"),
    ("LSTM", floats(X, W, R), {"activations": ("Tanh", "Tanh", "Gelu")}, ArgumentError, "'Gelu'"),
    ("LSTM", floats(X, W, R), {"activation_alpha": (0.1,)}, ArgumentError, "one number for each of the 3"),
    ("LSTM", [*floats(X, W, R), None, ("int64", ("batch",))], {}, DTypeError, "sequence_lens must .* int32"),
    ("LSTM", [("float32", X), ("float64", W), ("float32", R)], {}, DTypeError, "w must have .* float32"),
    ("LSTM", [("int32", X), ("int32", W), ("int32", R)], {}, DTypeError, "x must have"),
    ("RNN", floats(X, (1, 2, 5), (1, 2, 2)), {"activations": ("LeakyRelu",), "activation_alpha": (-0.1,)},
     ArgumentError, "must not be negative"),
    ("RNN", floats(X, (1, 2, 5), (1, 2, 2)), {"activations": ("ScaledTanh",), "activation_alpha": (0.0,)},
     ArgumentError, "must not be 0"),
    ("GRUGrad", floats((1, 6, 2), None, None, ("time", 1, "batch", 3), (1, "time", "batch", 6),
                       (1, "time", "batch", 2)), {}, ShapeError, "y has the axes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "shapes", "attributes", "error", "words"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(REFUSALS)],
)
def test_wrong_operands_are_refused_with_a_reason(
    op: str, shapes: Shapes, attributes: dict[str, Any], error: type[GraphcError], words: str
) -> None:
    with pytest.raises(error, match=words):
        emit(op, shapes, **attributes)
