"""How a value is stored when that differs from what the graph means: the algebra of the `layout` pass.

A value *means* an array with axes and elements in some order, ``(batch, height, width, channels)``. It may be *stored*
with its axes in another `Order`, ``(batch, channels, height, width)``, or with the elements along an axis in another
order, a `Shuffle`: that is what flattening a stored image gives. None stands for a value that is stored as it is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.ir.dims import Dim, DimLike, Shape, product
from graphc.ir.graph import Node


@dataclass(frozen=True, slots=True)
class Order:
    """Axis ``i`` of what is stored is axis ``axes[i]`` of what is meant."""

    axes: tuple[int, ...]

    def shape(self, meant: Shape) -> Shape:
        """The stored shape. A shape of lower rank is aligned at the end, as broadcasting does."""
        full = (1,) * (len(self.axes) - len(meant)) + tuple(meant)
        return tuple(full[axis] for axis in self.axes)

    def position(self, axis: int) -> int:
        """Where an axis of what is meant is stored."""
        return self.axes.index(axis)

    def positions(self, axes: Iterable[int]) -> tuple[int, ...]:
        """Where some axes are stored."""
        return tuple(self.axes.index(axis) for axis in axes)


@dataclass(frozen=True, slots=True)
class Shuffle:
    """Along each of some axes, the stored element ``k`` is the meant element ``index[k]``.

    Attributes:
        indices: (axis, index) in ascending order of axes.
        sources: the nodes that chose this arrangement; they choose another where somebody cannot take it.
    """

    indices: tuple[tuple[int, tuple[int, ...]], ...]
    sources: frozenset[Node] = field(default=frozenset(), compare=False)

    @property
    def axis(self) -> int:
        """The only axis that is shuffled."""
        ((axis, _),) = self.indices
        return axis

    def moved(self, axis: int) -> Shuffle:
        """The same order along another axis."""
        ((_, index),) = self.indices
        return Shuffle(((axis, index),), self.sources)

    def and_also(self, other: Shuffle) -> Shuffle:
        """Two axes shuffled, each by its own."""
        return Shuffle(tuple(sorted((*self.indices, *other.indices))), self.sources | other.sources)


Arrangement = Order | Shuffle


def order(axes: Iterable[int]) -> Order | None:
    """An `Order`, or None where nothing is in another place."""
    listed = tuple(axes)
    return None if listed == tuple(range(len(listed))) else Order(listed)


def channels_first(rank: int) -> Order:
    """``(batch, *spatial, channels)`` stored as ``(batch, channels, *spatial)``."""
    return Order((0, rank - 1, *range(1, rank - 1)))


def filters_first(rank: int) -> Order:
    """A kernel ``(*spatial, channels, filters)`` stored as ``(filters, channels, *spatial)``."""
    return Order((rank - 1, rank - 2, *range(rank - 2)))


def arranged(array: np.ndarray[Any, Any], arrangement: Arrangement) -> np.ndarray[Any, Any]:
    """A meant array as it is stored."""
    if isinstance(arrangement, Order):
        lifted = array.reshape((1,) * (len(arrangement.axes) - array.ndim) + array.shape)
        return np.ascontiguousarray(lifted.transpose(arrangement.axes))
    for axis, index in arrangement.indices:
        array = np.take(array, index, axis)
    return np.ascontiguousarray(array)


def only_units_move(shape: Shape, perm: Sequence[int]) -> bool:
    """True when a transpose of this shape moves axes of length 1 only, so that it is a reshape."""
    moved = [axis for axis in perm if shape[axis] != 1]
    return moved == sorted(moved)


def open_shape(shape: Shape) -> Shape:
    """A shape with -1 for its only named dim, which spares a runtime to compute it."""
    named = [i for i, dim in enumerate(shape) if isinstance(dim, Dim)]
    return (*shape[: named[0]], -1, *shape[named[0] + 1 :]) if len(named) == 1 and 0 not in shape else shape


# -- reshaping what is stored ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Group:
    """Axes before and behind a reshape that hold the same elements; none of length 1 is among them."""

    before: tuple[int, ...]
    behind: tuple[int, ...]


def _groups(before: Shape, behind: Shape) -> list[_Group] | None:
    """The smallest groups of axes that a reshape maps to one another, or None where they cannot be told."""
    left = [i for i, dim in enumerate(before) if dim != 1]
    right = [i for i, dim in enumerate(behind) if dim != 1]
    found: list[_Group] = []
    while left and right:
        sizes = _equal_starts([before[i] for i in left], [behind[i] for i in right])
        if sizes is None:
            return None
        m, n = sizes
        found.append(_Group(tuple(left[:m]), tuple(right[:n])))
        left, right = left[m:], right[n:]
    return None if left or right else found


def _equal_starts(left: Sequence[DimLike], right: Sequence[DimLike]) -> tuple[int, int] | None:
    """The least numbers of leading lengths with equal products."""
    for total in range(2, len(left) + len(right) + 1):
        for m in range(max(1, total - len(right)), min(len(left), total - 1) + 1):
            if product(left[:m]) == product(right[: total - m]):
                return m, total - m
    return None


def reshaped(before: Shape, behind: Shape, given: Order, source: Node) -> tuple[bool, Arrangement | None]:
    """What reshaping a stored value gives.

    Args:
        before: the meant shape of the operand.
        behind: the meant shape of the result.
        given: how the operand is stored.
        source: the node that reshapes; it becomes the source of a `Shuffle`.

    Returns:
        (True, the result's arrangement), or (False, None) where the stored elements would have to be moved.
    """
    groups = None if 0 in before else _groups(before, behind)
    if groups is None:
        return False, None
    group_of = {axis: group for group in groups for axis in group.before}
    stored = [axis for axis in given.axes if before[axis] != 1]
    sequence: list[_Group] = []
    shuffles: list[Shuffle] = []
    while stored:
        group = group_of[stored[0]]
        members, stored = stored[: len(group.before)], stored[len(group.before) :]
        if sorted(members) != list(group.before):
            return False, None  # other axes are stored between those that are joined
        if tuple(members) != group.before:
            lengths = [before[axis] for axis in group.before]
            if len(group.behind) != 1 or any(isinstance(length, Dim) for length in lengths):
                return False, None
            elements = np.arange(int(product(lengths))).reshape([int(length) for length in lengths])
            index = elements.transpose([group.before.index(axis) for axis in members]).reshape(-1)
            shuffles.append(Shuffle(((group.behind[0], tuple(index.tolist())),), frozenset({source})))
        sequence.append(group)
    axes = [axis for group in sequence for axis in group.behind]
    for axis in (axis for axis, dim in enumerate(behind) if dim == 1):
        # An axis of length 1 goes in front of the axis that it is in front of in what is meant.
        follower = next((a for a in range(axis + 1, len(behind)) if behind[a] != 1), None)
        axes.insert(len(axes) if follower is None else axes.index(follower), axis)
    moved = order(axes)
    if not shuffles:
        return True, moved
    return (moved is None and len(shuffles) == 1), (shuffles[0] if moved is None and len(shuffles) == 1 else None)
