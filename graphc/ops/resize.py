"""Resize: other lengths along some axes, each new element a weighted mean of old ones, and its gradient.

The map along an axis is linear and depends on the lengths only (`graphc.ops.resampling`), so Resize and ResizeGrad are
each other's adjoint, and derivatives of any order exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, Shape
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, normalize_axes
from graphc.ops.opdef import Attribute, Attributes, Domain, OpDef, Trait, Types, need_dtype, operand
from graphc.ops.resampling import MODES, NEAREST

_HOW = {
    "axes": Attribute("ints", doc="The axes that change; the others stay as they are."),
    "mode": Attribute("str", doc="How old elements are weighted: see graphc.ops.resampling.", choices=MODES),
    "antialias": Attribute("bool", False, "Widen the filter along axes that become shorter. Not for nearest and mean."),
}


def resize_axes(type_: TensorType, attributes: Attributes) -> tuple[int, ...]:
    """The axes of a node that change, counted from the front."""
    return normalize_axes(attributes["axes"], type_.rank)


def _lengths(op: str, type_: TensorType, attributes: Attributes, name: str) -> Shape:
    """The shape with other lengths along the axes.

    Raises:
        ArgumentError: there is not one positive length for each axis.
        ShapeError: there is nothing to make elements of.
    """
    axes, lengths = resize_axes(type_, attributes), attributes[name]
    if len(lengths) != len(axes) or any(isinstance(n, int) and n < 1 for n in lengths):
        raise ArgumentError(f"{op}: {name!r} must hold one positive length for each of the axes {axes}; got {lengths}.")
    if any(type_.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"{op}: the axes {axes} of {type_} must have elements to make others of.")
    shape: list[DimLike] = list(type_.shape)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    return tuple(shape)


def _resize_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    x = operand(types, 0)
    if attributes["mode"] != NEAREST:
        need_dtype("Resize", x, FLOAT_DTYPES, "the input")
    return (x.with_shape(_lengths("Resize", x, attributes, "sizes")),)


def _grad_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    g = operand(types, 0)
    need_dtype("ResizeGrad", g, FLOAT_DTYPES, "the gradient")
    return (g.with_shape(_lengths("ResizeGrad", g, attributes, "dims")),)


def _at_axes(node: Node) -> tuple[Value, Shape, dict[str, Any]]:
    """The operand of a node, its lengths along the axes, and how it is resized."""
    (x,) = node.inputs
    assert x is not None
    how = {name: node.attributes[name] for name in _HOW}
    return x, tuple(x.type.shape[axis] for axis in resize_axes(x.type, node.attributes)), how


def _resize_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    _, dims, how = _at_axes(node)
    return (b.emit("ResizeGrad", grads[0], dims=dims, **how),)


def _grad_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    _, sizes, how = _at_axes(node)
    return (b.emit("Resize", grads[0], sizes=sizes, **how),)


_TAPS = {"nearest": 1, "linear": 2, "cubic": 4, "lanczos3": 6, "lanczos5": 10, "mean": 2}
"""About how many old elements make a new one, along one axis."""


def _operations(resized: TensorType, attributes: Attributes) -> DimLike:
    """A multiplication and an addition for each tap of each axis, which follow one another."""
    return resized.size * (2 * _TAPS[attributes["mode"]] * len(attributes["axes"]))


def _resize_cost(_inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    return _operations(outputs[0], attributes)


def _grad_cost(inputs: Sequence[TensorType], _outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    return _operations(inputs[0], attributes)


OPS = (
    OpDef(
        name="Resize",
        inputs=("x",),
        infer=_resize_type,
        vjp=_resize_vjp,
        doc="x with other lengths along some axes: ONNX's Resize with half-pixel centres, and filters that it has not.",
        attributes={**_HOW, "sizes": Attribute("dims", doc="The new length of each of the axes.")},
        traits=frozenset({Trait.LINEAR}),
        cost=_resize_cost,
    ),
    OpDef(
        name="ResizeGrad",
        inputs=("g",),
        infer=_grad_type,
        vjp=_grad_vjp,
        doc="The gradient of Resize, from the gradient g of its result: the transposed weights.",
        attributes={**_HOW, "dims": Attribute("dims", doc="The length that each of the axes had before Resize.")},
        traits=frozenset({Trait.LINEAR}),
        cost=_grad_cost,
        domain=Domain.GRAPHC,
    ),
)
