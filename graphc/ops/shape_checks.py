"""Checks of lengths that type rules share: when two axes must have one length, and named dims are among them."""

from __future__ import annotations

from graphc.ir.dims import DimLike, Shape


def agree(a: DimLike, b: DimLike) -> DimLike | None:
    """The length of two axes that must be equal, or None where they cannot be.

    ``height`` and ``height - 2`` can never be equal. ``batch`` and 32, or ``time`` and ``title_time``, may be: only
    data can tell, and the kernel checks it. A known length is preferred over a named one.
    """
    if a == b:
        return a
    if isinstance(a - b, int):  # a number, and not zero: two integers, or the names cancelled
        return None
    return b if isinstance(b, int) else a


def agree_shapes(first: Shape, second: Shape) -> Shape | None:
    """The shape of two tensors that must have one shape, or None where they cannot."""
    if len(first) != len(second):
        return None
    dims: list[DimLike] = []
    for a, b in zip(first, second, strict=True):
        dim = agree(a, b)
        if dim is None:
            return None
        dims.append(dim)
    return tuple(dims)
