"""How the importer reads Resize: the forms that graphc's Resize computes, with half-pixel centres or by repetition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from graphc.errors import ModelFileError
from graphc.ir.dims import DimLike
from graphc.ir.graph import Value
from graphc.ir.types import normalize_axes
from graphc.ops.resampling import CUBIC, CUBIC_A, LINEAR, NEAREST
from graphc.runtimes.onnx_import_node import ImportRow, OnnxNode

T = TypeVar("T")

_SCALES, _SIZES = 2, 3  # operands
_CUBIC_DEFAULT = -0.75  # ONNX's coefficient where a file gives none


def _resize(node: OnnxNode) -> Value:
    x = node.value(0)
    given = node.attribute("axes")
    axes = tuple(range(x.type.rank)) if given is None else normalize_axes(given, x.type.rank)
    sizes = _sizes(node, [x.type.shape[axis] for axis in axes])
    changed = [(axis, size) for axis, size in zip(axes, sizes, strict=True) if x.type.shape[axis] != size]
    if not changed:
        return node.emit("Identity", x)
    mode = _mode(node, [(x.type.shape[axis], size) for axis, size in changed])
    return node.emit("Resize", x, axes=[a for a, _ in changed], sizes=[s for _, s in changed], mode=mode)


def _sizes(node: OnnxNode, lengths: Sequence[DimLike]) -> tuple[DimLike, ...]:
    """The new lengths, as they are given or by scales.

    Raises:
        ModelFileError: a scale gives no whole length, so that positions would not follow from the lengths.
    """
    if node.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise ModelFileError("keep_aspect_ratio_policy must be 'stretch'; graphc's Resize takes each size as it is")
    if node.optional(_SIZES) is not None:
        return _of_each_axis("sizes", node.lengths(_SIZES, "sizes"), lengths)
    scales = [float(s) for s in node.array(_SCALES, "scales").reshape(-1)]
    sizes: list[DimLike] = []
    for length, scale in zip(lengths, _of_each_axis("scales", scales, lengths), strict=True):
        if scale.is_integer():
            sizes.append(length * int(scale))
            continue
        size = length * scale if isinstance(length, int) else None
        if size is None or abs(size - round(size)) > 1e-4:  # scales are float32: 2/3 is not quite that
            raise ModelFileError(f"a length of {length} times the scale {scale} is no whole number")
        sizes.append(round(size))
    return tuple(sizes)


def _of_each_axis(what: str, values: Sequence[T], lengths: Sequence[DimLike]) -> tuple[T, ...]:
    if len(values) != len(lengths):
        raise ModelFileError(f"{what} must hold one number for each of {len(lengths)} axes; it holds {len(values)}")
    return tuple(values)


def _mode(node: OnnxNode, lengths: Sequence[tuple[DimLike, DimLike]]) -> str:
    """The IR's mode of a node that changes these lengths.

    Raises:
        ModelFileError: it is none of the IR's.
    """
    mode, places = node.attribute("mode", NEAREST), node.attribute("coordinate_transformation_mode", "half_pixel")
    if places == "pytorch_half_pixel" and all(isinstance(size, int) and size > 1 for _, size in lengths):
        places = "half_pixel"  # they differ for results of length 1 only
    plain = places == "half_pixel" and not node.attribute("antialias", 0)
    if mode == NEAREST:
        rounding = node.attribute("nearest_mode", "round_prefer_floor")
        repeated = places == "asymmetric" and rounding == "floor" and all(_whole(*pair) for pair in lengths)
        if repeated or (plain and rounding == "round_prefer_ceil"):
            return NEAREST
    elif mode == LINEAR and plain:  # beyond an edge there is one element to weigh: excluded or repeated, it is the same
        return LINEAR
    elif mode == CUBIC and plain and node.attribute("exclude_outside", 0) and _has_coefficient(node):
        return CUBIC
    raise ModelFileError(
        f"mode {mode!r} with coordinate_transformation_mode {places!r} and the rest of its attributes is no resizing that "
        "graphc computes: that is repetition (asymmetric, floor), and nearest (round_prefer_ceil), linear and cubic "
        f"(cubic_coeff_a {CUBIC_A}, exclude_outside 1) with half_pixel; use --runtime ort"
    )


def _has_coefficient(node: OnnxNode) -> bool:
    return bool(abs(node.attribute("cubic_coeff_a", _CUBIC_DEFAULT) - CUBIC_A) < 1e-6)


def _whole(length: DimLike, size: DimLike) -> bool:
    """True when one length is a whole number of times the other."""
    factor = size // length if length != 0 else None
    return isinstance(factor, int) and length * factor == size


IMPORT_ROWS: dict[str, ImportRow] = {"Resize": _resize}
