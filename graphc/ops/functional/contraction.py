"""Contraction of any axes: `dot`, `inner`, `tensordot` and `einsum`.

Each pair of operands becomes transpositions, reshapes and one MatMul, which multiplies ``(batch..., rows, inner)`` by
``(batch..., inner, columns)``: the axes are sorted into these four groups, and each group but the batch is joined into
one axis. Nothing is moved or joined that is in place already, so that a Dense layer's ``"bti,io->bto"`` is one MatMul.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import product
from graphc.ops.functional.arguments import Tensor, rank_of, several_axes
from graphc.ops.functional.dispatch import apply, function, promote, shape_of
from graphc.ops.functional.indexing import diagonal
from graphc.ops.functional.linalg import matrix_product
from graphc.ops.functional.movement import permuted, reshape
from graphc.ops.functional.reduction import sum as total

__all__ = ["dot", "einsum", "inner", "tensordot"]


def contracted(x1: Tensor, x2: Tensor, axes1: Sequence[int], axes2: Sequence[int], name: str) -> Tensor:
    """The sum of products over pairs of axes; the axes that are left are those of ``x1``, then those of ``x2``."""
    left1 = [i for i in range(rank_of(x1)) if i not in axes1]
    left2 = [i for i in range(rank_of(x2)) if i not in axes2]
    shape1, shape2 = shape_of(x1), shape_of(x2)
    for a, b in zip(axes1, axes2, strict=True):
        if isinstance(shape1[a], int) and isinstance(shape2[b], int) and shape1[a] != shape2[b]:
            raise ShapeError(f"{name}: axis {a} of {shape1} and axis {b} of {shape2} must have one length.")
    inner = product(shape1[i] for i in axes1)
    rows = permuted(x1, [*left1, *axes1])
    if len(axes1) != 1:
        rows = reshape(rows, (*(shape1[i] for i in left1), inner))
    columns = permuted(x2, [*axes2, *left2])
    if len(axes2) != 1 or len(left2) > 1:
        columns = reshape(columns, (inner, product(shape2[i] for i in left2)))
    result = matrix_product(rows, columns) if left1 else matrix_product(reshape(rows, (inner,)), columns)
    if not left2 and rank_of(columns) == 2:
        return reshape(result, tuple(shape1[i] for i in left1))
    if len(left2) > 1:
        return reshape(result, (*(shape1[i] for i in left1), *(shape2[i] for i in left2)))
    return result


@function
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes.

    Args:
        x1: any shape.
        x2: any shape.
        axes: how many: the last ones of ``x1`` with the first ones of ``x2``; or two lists of axes.

    Raises:
        ArgumentError: the lists differ in length.
        ShapeError: the lengths of a pair differ.
    """
    r1, r2 = rank_of(x1), rank_of(x2)
    if hasattr(axes, "__index__"):
        count = int(axes)
        if not 0 <= count <= min(r1, r2):
            raise ArgumentError(f"tensordot: axes={count} is more than the axes of {shape_of(x1)} and {shape_of(x2)}.")
        axes1, axes2 = tuple(range(r1 - count, r1)), tuple(range(count))
    else:
        first, second = axes
        axes1 = several_axes(first, r1, "tensordot")
        axes2 = several_axes(second, r2, "tensordot")
    if len(axes1) != len(axes2):
        raise ArgumentError(f"tensordot: axes must name as many axes of x1 as of x2; got {axes!r}.")
    return contracted(x1, x2, axes1, axes2, "tensordot")


@function
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """The product over the last axis of ``x1`` and the last but one (or only) axis of ``x2``; multiples for numbers."""
    r1, r2 = rank_of(x1), rank_of(x2)
    if r1 == 0 or r2 == 0:
        return apply("Mul", *promote(x1, x2))
    return contracted(x1, x2, (r1 - 1,), (max(r2 - 2, 0),), "dot")


@function
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    """The product over the last axes of both; multiples for numbers."""
    r1, r2 = rank_of(x1), rank_of(x2)
    if r1 == 0 or r2 == 0:
        return apply("Mul", *promote(x1, x2))
    return contracted(x1, x2, (r1 - 1,), (r2 - 1,), "inner")


# -- einsum -----------------------------------------------------------------------------------------------------------


@function
def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """The sum of products that letters for axes describe, as ``numpy.einsum``: ``"bij,bjk->bik"``.

    Operands are contracted from left to right. A letter that is there twice in one operand takes its diagonal; ``...``
    stands for axes that broadcast.

    Raises:
        ArgumentError: the subscripts are malformed or do not fit the number of operands.
        ShapeError: they do not fit a shape, or one letter has two lengths.
    """
    inputs, output = _parse(subscripts, [rank_of(x) for x in operands])
    tensors = [_without_repeats(x, labels) for x, labels in zip(promote(*operands), inputs, strict=True)]
    _check_lengths(subscripts, tensors)
    while len(tensors) > 1:
        (a, b), rest = tensors[:2], tensors[2:]
        needed = set(output).union(*(labels for _, labels in rest))
        tensors = [_pair(a, b, needed, output if not rest else ""), *rest]
    x, labels = tensors[0]
    x, labels = _summed(x, labels, set(output))
    return permuted(x, [labels.index(label) for label in output])


_Labelled = tuple[Tensor, str]


def _parse(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with ``...`` written out as capital letters that are free."""
    text = subscripts.replace(" ", "") if isinstance(subscripts, str) else ""
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if not text or len(terms) != len(ranks):
        raise ArgumentError(f"einsum: {subscripts!r} describes {len(terms)} operands; {len(ranks)} were given.")
    for term in [*terms, right]:
        letters = term.replace("...", "", 1)
        if not (letters == "" or (letters.isascii() and letters.isalpha())):
            raise ArgumentError(f"einsum: {term!r} in {subscripts!r} must consist of letters and at most one `...`.")
    free = [c for c in string.ascii_uppercase + string.ascii_lowercase if c not in text]
    widths = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    for term, rank, width in zip(terms, ranks, widths, strict=True):
        if width < 0 or (width and "..." not in term):
            raise ShapeError(f"einsum: {term!r} in {subscripts!r} does not fit an operand of rank {rank}.")
    widest = max((w for w, term in zip(widths, terms, strict=True) if "..." in term), default=0)
    if widest > len(free):
        raise ArgumentError(f"einsum: {subscripts!r} has more axes than there are letters.")
    ellipsis = "".join(free[:widest])
    written = [t.replace("...", ellipsis[widest - w :]) for t, w in zip(terms, widths, strict=True)]
    if arrow:
        output = right.replace("...", ellipsis)
    else:
        counts = Counter("".join(t.replace("...", "") for t in terms))
        output = ellipsis + "".join(sorted(label for label, count in counts.items() if count == 1))
    if len(set(output)) != len(output) or not set(output) <= set("".join(written)):
        raise ArgumentError(f"einsum: the result of {subscripts!r} must name letters of the operands, each once.")
    return written, output


def _without_repeats(x: Tensor, labels: str) -> _Labelled:
    """Axes with the same label replaced by their diagonal."""
    for label in labels:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if shape_of(x)[first] != shape_of(x)[second]:
                raise ShapeError(f"einsum: {label!r} stands for two lengths of {shape_of(x)}.")
            x = diagonal(x, 0, first, second)
            labels = "".join(c for i, c in enumerate(labels) if i not in (first, second)) + label
    return x, labels


def _check_lengths(subscripts: str, tensors: Sequence[_Labelled]) -> None:
    lengths: dict[str, Any] = {}
    for x, labels in tensors:
        for label, length in zip(labels, shape_of(x), strict=True):
            known = lengths.setdefault(label, length)
            if known == 1 or isinstance(known, str):
                lengths[label] = length
            elif isinstance(length, int) and length not in (known, 1):
                raise ShapeError(f"einsum: {label!r} in {subscripts!r} has lengths {known} and {length}.")


def _summed(x: Tensor, labels: str, keep: set[str]) -> _Labelled:
    """``x`` summed over the axes whose labels are not to be kept."""
    axes = tuple(i for i, label in enumerate(labels) if label not in keep)
    return (total(x, axes), "".join(label for label in labels if label in keep)) if axes else (x, labels)


def _pair(first: _Labelled, second: _Labelled, needed: set[str], output: str) -> _Labelled:
    """Two operands contracted over the labels that nothing else needs."""
    (a, a_labels), (b, b_labels) = first, second
    a, a_labels = _summed(a, a_labels, needed | set(b_labels))
    b, b_labels = _summed(b, b_labels, needed | set(a_labels))
    # An axis of length 1 broadcasts: it is multiplied, not matched.
    ones = {
        label for label in a_labels if label in b_labels and _is_one(a, a_labels, label) != _is_one(b, b_labels, label)
    }
    inner = [label for label in a_labels if label in b_labels and label not in needed and label not in ones]
    if not inner:
        x, labels = _multiplied(a, a_labels, b, b_labels)
        return _summed(x, labels, needed)
    for label in sorted(ones):  # of the one that is longer, only the sum counts where the label is not needed
        if label not in needed:
            a, a_labels = _summed(a, a_labels, set(a_labels) - {label})
            b, b_labels = _summed(b, b_labels, set(b_labels) - {label})
    batch = [label for label in a_labels if label in b_labels and label not in inner]
    rows = [label for label in a_labels if label not in b_labels]
    columns = [label for label in b_labels if label not in a_labels]
    if output and columns and rows and [c for c in output if c in {*rows, *columns}] == columns + rows:
        a, b, a_labels, b_labels, rows, columns = b, a, b_labels, a_labels, columns, rows
    if output:
        batch.sort(key=output.index)
    return _matrix_pair(a, a_labels, b, b_labels, batch, rows, inner, columns)


def _is_one(x: Tensor, labels: str, label: str) -> bool:
    return bool(shape_of(x)[labels.index(label)] == 1)


def _multiplied(a: Tensor, a_labels: str, b: Tensor, b_labels: str) -> _Labelled:
    """The element-wise product, each operand spread over the labels of both."""
    labels = a_labels + "".join(label for label in b_labels if label not in a_labels)

    def spread(x: Tensor, own: str) -> Tensor:
        x = permuted(x, [own.index(label) for label in labels if label in own])
        # Leading axes need not be there: they broadcast.
        first = next((i for i, label in enumerate(labels) if label in own), len(labels))
        missing = tuple(i - first for i, label in enumerate(labels) if label not in own and i > first)
        return apply("Unsqueeze", x, axes=missing) if missing else x

    return apply("Mul", spread(a, a_labels), spread(b, b_labels)), labels


def _matrix_pair(
    a: Tensor,
    a_labels: str,
    b: Tensor,
    b_labels: str,
    batch: list[str],
    rows: list[str],
    inner: list[str],
    columns: list[str],
) -> _Labelled:
    """One MatMul of two operands sorted into batch, rows, inner and columns."""
    lengths = dict(zip(b_labels, shape_of(b), strict=True)) | {
        label: length
        for label, length in zip(a_labels, shape_of(a), strict=True)
        if length != 1 or label not in b_labels
    }

    def joined(x: Tensor, own: str, groups: Sequence[Sequence[str]]) -> Tensor:
        order = [*batch, *(label for group in groups for label in group)]
        x = permuted(x, [own.index(label) for label in order])
        if all(len(group) == 1 for group in groups):
            return x
        front = shape_of(x)[: len(batch)]
        return reshape(x, (*front, *(product(lengths[label] for label in group) for group in groups)))

    # Without batch, the left operand may keep its rows apart: MatMul takes any number of axes in front.
    left = joined(a, a_labels, [*([label] for label in rows), inner] if not batch else [rows, inner])
    right_groups = [inner, columns] if columns or batch else [inner]
    result = matrix_product(left, joined(b, b_labels, right_groups))
    labels = [*batch, *rows, *columns]
    wanted = (*shape_of(result)[: len(batch)], *(lengths[label] for label in [*rows, *columns]))
    return reshape(result, wanted), "".join(labels)
