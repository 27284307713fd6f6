"""The type of a value: dtype and shape. Shapes hold integers and named dims (`graphc.ir.dims`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphc.errors import ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, DimLike, Shape, as_shape, dim_max, product, substitute

MAX_RANK = 32


@dataclass(frozen=True, slots=True)
class TensorType:
    """``float32[batch, 784]``: a dtype name and a tuple of dims."""

    dtype: str
    shape: Shape

    @staticmethod
    def of(dtype: object, shape: Iterable[object]) -> TensorType:
        """A checked type from anything that names a dtype and any iterable of integers and dim names."""
        dims = as_shape(shape)
        if len(dims) > MAX_RANK:
            raise ShapeError(f"A tensor has at most {MAX_RANK} dimensions; got {len(dims)}.")
        return TensorType(dtypes.standardize_dtype(dtype), dims)

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> DimLike:
        """The number of elements."""
        return product(self.shape)

    @property
    def is_static(self) -> bool:
        """True when every dim is an integer."""
        return not any(isinstance(d, str) for d in self.shape)

    def with_shape(self, shape: Iterable[DimLike]) -> TensorType:
        """The same dtype with another shape."""
        return replace(self, shape=tuple(shape))

    def with_dtype(self, dtype: str) -> TensorType:
        """The same shape with another dtype."""
        return replace(self, dtype=dtype)

    def substitute(self, sizes: Mapping[str, DimLike]) -> TensorType:
        """The type with named dims replaced."""
        return replace(self, shape=concrete_shape(self.shape, sizes))

    def __str__(self) -> str:
        return f"{self.dtype}{format_shape(self.shape)}"


def format_shape(shape: Sequence[object]) -> str:
    """``[batch, 784]``."""
    return "[" + ", ".join(str(d) for d in shape) + "]"


def concrete_shape(shape: Shape, sizes: Mapping[str, DimLike]) -> Shape:
    """``shape`` with named dims replaced by ``sizes``."""
    return tuple(substitute(d, sizes) if isinstance(d, str) else d for d in shape)


def concrete_lengths(shape: Shape, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """``shape`` as integers.

    Raises:
        ShapeError: a name has no length in ``sizes``.
    """
    lengths = concrete_shape(shape, sizes)
    if missing := [str(d) for d in lengths if not isinstance(d, int)]:
        raise ShapeError(f"The length of {', '.join(missing)} is not known: no input carries it.")
    return tuple(int(d) for d in lengths)


def normalize_axis(axis: int, rank: int, what: str = "axis") -> int:
    """``axis`` counted from the front.

    Raises:
        ShapeError: ``axis`` is outside ``-rank .. rank - 1``.
    """
    if not -rank <= axis < rank:
        raise ShapeError(f"{what} {axis} is out of range for a tensor of rank {rank}; expected {-rank} to {rank - 1}.")
    return axis + rank if axis < 0 else axis


def normalize_axes(axes: Iterable[int], rank: int, what: str = "axes") -> tuple[int, ...]:
    """Several axes counted from the front; a repeated one is refused."""
    found = tuple(normalize_axis(a, rank, what) for a in axes)
    if len(set(found)) != len(found):
        raise ShapeError(f"{what} {tuple(axes)} names an axis twice for a tensor of rank {rank}.")
    return found


def broadcast_dims(a: DimLike, b: DimLike) -> DimLike:
    """The length of two aligned axes under NumPy's rule: equal, or one of them 1.

    A named dim against an integer above 1 gives the integer; two different names give ``max(a, b)``: whether they agree
    is known, and checked, only when data comes.
    """
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if isinstance(a, Dim):
        return dim_max(a, b) if isinstance(b, Dim) else b
    if isinstance(b, Dim):
        return a
    raise ShapeError(f"lengths {a} and {b} differ and neither is 1")


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that operands of these shapes broadcast to (NumPy's rule).

    Raises:
        ShapeError: two lengths differ and neither is 1.
    """
    rank = max((len(s) for s in shapes), default=0)
    result: list[DimLike] = [1] * rank
    for shape in shapes:
        offset = rank - len(shape)
        for i, dim in enumerate(shape):
            try:
                result[offset + i] = broadcast_dims(result[offset + i], dim)
            except ShapeError as error:
                listed = " and ".join(format_shape(s) for s in shapes)
                raise ShapeError(f"Shapes {listed} do not broadcast: {error}.") from None
    return tuple(result)
