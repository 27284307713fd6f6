"""How the importer reads convolutions and pooling: ONNX's attributes as the IR's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ModelFileError
from graphc.ir.dims import DimLike, ceil_div
from graphc.ir.graph import Value
from graphc.ops.windows import CHANNELS_FIRST, need_spatial
from graphc.runtimes.onnx_import_node import ImportRow, OnnxNode

_NOT_GIVEN = ("NOTSET", "VALID")


def _spatial(node: OnnxNode) -> tuple[DimLike, ...]:
    x = node.value(0).type
    need_spatial(node.op, x, "the input")
    return x.shape[2:]


def _kernel(node: OnnxNode) -> tuple[int, ...]:
    """The kernel's lengths: an attribute of pooling, the shape of a convolution's kernel."""
    given = node.attribute("kernel_shape")
    if node.op not in ("Conv", "ConvTranspose"):
        return tuple(given)
    lengths = node.value(1).type.shape[2:]
    if given is not None and tuple(given) != lengths:
        raise ModelFileError(f"kernel_shape is {tuple(given)}, but the kernel is {node.value(1).type}")
    if any(isinstance(n, str) for n in lengths):
        raise ModelFileError(f"the kernel's spatial lengths must be integers; it is {node.value(1).type}")
    return lengths  # type: ignore[return-value]


def _geometry(node: OnnxNode) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Strides, dilations and the lengths that a window spans, one entry for each spatial axis."""
    kernel, rank = _kernel(node), len(_spatial(node))
    strides = tuple(node.attribute("strides") or (1,) * rank)
    dilations = tuple(node.attribute("dilations") or (1,) * rank)
    for name, values in (("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)):
        if len(values) != rank or any(v < 1 for v in values):
            raise ModelFileError(f"{name} must hold one positive integer for each of {rank} spatial axes; got {values}")
    return strides, dilations, tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))


def _pads(node: OnnxNode, strides: Sequence[int], extents: Sequence[int]) -> Any:
    """The IR's pads: explicit, or "SAME_UPPER"."""
    auto = node.attribute("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return auto
    if auto in _NOT_GIVEN:
        return tuple(node.attribute("pads") or ()) if auto == "NOTSET" else ()
    totals = []
    for length, stride, extent in zip(_spatial(node), strides, extents, strict=True):
        total = (ceil_div(length, stride) - 1) * stride + extent - length
        if isinstance(total, str):
            raise ModelFileError(f"auto_pad {auto!r} with strides needs input lengths that are integers")
        totals.append(max(total, 0))
    return _lower(totals)


def _lower(totals: Sequence[int]) -> tuple[int, ...]:
    """SAME_LOWER: the odd one at the start."""
    return (*(t - t // 2 for t in totals), *(t // 2 for t in totals))


def _conv(node: OnnxNode) -> Value:
    strides, dilations, extents = _geometry(node)
    return node.emit(
        "Conv",
        *node.operands,
        strides=strides,
        dilations=dilations,
        pads=_pads(node, strides, extents),
        group=node.attribute("group", 1),
        layout=CHANNELS_FIRST,
    )


def _conv_transpose(node: OnnxNode) -> Value:
    strides, dilations, extents = _geometry(node)
    extra = tuple(node.attribute("output_padding") or (0,) * len(strides))
    auto, wanted = node.attribute("auto_pad", "NOTSET"), node.attribute("output_shape")
    pads = tuple(node.attribute("pads") or ()) if auto == "NOTSET" else ()
    if wanted or auto.startswith("SAME"):
        pads, extra = _transposed_pads(node, strides, extents, extra)
    return node.emit(
        "ConvTranspose",
        *node.operands,
        strides=strides,
        dilations=dilations,
        pads=pads,
        output_padding=extra,
        group=node.attribute("group", 1),
        layout=CHANNELS_FIRST,
    )


def _transposed_pads(
    node: OnnxNode, strides: Sequence[int], extents: Sequence[int], extra: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Explicit padding where ONNX gives the output's lengths: its formula for ``total_padding``."""
    spatial, auto = _spatial(node), node.attribute("auto_pad", "NOTSET")
    wanted = node.attribute("output_shape") or [n * s for n, s in zip(spatial, strides, strict=True)]
    if len(extra) != len(strides) or len(wanted) < len(strides):
        raise ModelFileError(
            f"output_shape and output_padding must hold {len(strides)} integers; got {wanted}, {extra}"
        )
    totals, missing = [], []
    for length, stride, extent, more, out in zip(
        spatial, strides, extents, extra, wanted[-len(strides) :], strict=True
    ):
        total = (length - 1) * stride + more + extent - out
        if isinstance(total, str):
            raise ModelFileError("output_shape needs input lengths that are integers")
        totals.append(max(total, 0))
        missing.append(more + max(-total, 0))
    starts, ends = [t // 2 for t in totals], [t - t // 2 for t in totals]
    pads = (*starts, *ends) if auto == "SAME_UPPER" else _lower(totals)
    return tuple(pads), tuple(missing)


def _pool(node: OnnxNode) -> Value:
    strides, dilations, extents = _geometry(node)
    pads = _pads(node, strides, extents)
    attributes: dict[str, Any] = {"kernel_shape": _kernel(node), "strides": strides, "layout": CHANNELS_FIRST}
    if node.op == "MaxPool":
        if node.has_result(1):
            raise ModelFileError("the result 'Indices' has no form in graphc's IR")
        attributes["dilations"] = dilations
    else:
        if any(d != 1 for d in dilations):
            raise ModelFileError(f"a mean over windows with dilations {dilations} has no form in graphc's IR")
        attributes["count_include_pad"] = bool(node.attribute("count_include_pad", 0))
    if node.attribute("ceil_mode", 0) and not isinstance(pads, str):
        pads = _rounded_up(node, pads or (0,) * (2 * len(strides)), strides, extents)
    return node.emit(node.op, node.value(0), pads=pads, **attributes)


def _rounded_up(node: OnnxNode, pads: Sequence[int], strides: Sequence[int], extents: Sequence[int]) -> tuple[int, ...]:
    """``ceil_mode=1`` as more padding at the end, where it makes a difference.

    A last window that begins behind the input and its first padding is dropped, as ONNX says.
    """
    rank = len(strides)
    if len(pads) != 2 * rank:
        raise ModelFileError(f"pads must hold {2 * rank} integers; got {tuple(pads)}")
    ends = []
    for length, stride, extent, begin, end in zip(_spatial(node), strides, extents, pads, pads[rank:], strict=False):
        if isinstance(length, str):
            raise ModelFileError("ceil_mode=1 needs input lengths that are integers")
        span = length + begin + end - extent
        count = -(-span // stride) + 1
        if (count - 1) * stride >= length + begin:
            count -= 1
        ends.append(end + max((count - 1) * stride - span, 0))
    if tuple(ends) != tuple(pads[rank:]) and node.attribute("count_include_pad", 0):
        raise ModelFileError("ceil_mode=1 together with count_include_pad=1 has no form in graphc's IR")
    return (*pads[:rank], *ends)


def _global_pool(reduction: str) -> ImportRow:
    def row(node: OnnxNode) -> Value:
        x = node.value(0)
        return node.emit(reduction, x, axes=tuple(range(2, x.type.rank)), keepdims=True)

    return row


IMPORT_ROWS: dict[str, ImportRow] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool("ReduceMean"),
    "GlobalMaxPool": _global_pool("ReduceMax"),
}
