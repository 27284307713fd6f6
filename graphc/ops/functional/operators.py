"""Python operators for everything that behaves as a tensor."""

from __future__ import annotations

from typing import Any


def _function(name: str) -> Any:
    # The functions are written in terms of these classes, so they are looked up when an operator runs.
    from graphc.ops import functional

    return getattr(functional, name)


class TensorOperators:
    """Arithmetic, comparison and slicing through the functions of `graphc.ops`."""

    __slots__ = ()
    # NumPy must leave `array + tensor` to the tensor.
    __array_priority__ = 100.0
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Any:
        return _function("add")(self, other)

    def __radd__(self, other: Any) -> Any:
        return _function("add")(other, self)

    def __sub__(self, other: Any) -> Any:
        return _function("subtract")(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _function("subtract")(other, self)

    def __mul__(self, other: Any) -> Any:
        return _function("multiply")(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _function("multiply")(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _function("true_divide")(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _function("true_divide")(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _function("floor_divide")(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _function("floor_divide")(other, self)

    def __mod__(self, other: Any) -> Any:
        return _function("mod")(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _function("mod")(other, self)

    def __pow__(self, other: Any) -> Any:
        return _function("power")(self, other)

    def __rpow__(self, other: Any) -> Any:
        return _function("power")(other, self)

    def __matmul__(self, other: Any) -> Any:
        return _function("matmul")(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _function("matmul")(other, self)

    def __neg__(self) -> Any:
        return _function("negative")(self)

    def __abs__(self) -> Any:
        return _function("absolute")(self)

    def __lt__(self, other: Any) -> Any:
        return _function("less")(self, other)

    def __le__(self, other: Any) -> Any:
        return _function("less_equal")(self, other)

    def __gt__(self, other: Any) -> Any:
        return _function("greater")(self, other)

    def __ge__(self, other: Any) -> Any:
        return _function("greater_equal")(self, other)

    def __and__(self, other: Any) -> Any:
        return _function("logical_and")(self, other)

    def __or__(self, other: Any) -> Any:
        return _function("logical_or")(self, other)

    def __xor__(self, other: Any) -> Any:
        return _function("logical_xor")(self, other)

    def __invert__(self) -> Any:
        return _function("logical_not")(self)

    def __getitem__(self, key: Any) -> Any:
        return _function("get_item")(self, key)

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no truth value while a model is built: its numbers come later. "
            "Use graphc.ops.where or graphc.ops.cond-free arithmetic instead of `if`."
        )

    def __iter__(self) -> Any:
        first: Any = getattr(self, "shape", (None,))[:1]
        if first in ((), (None,)):
            raise TypeError(f"{self!r} cannot be iterated: the length of its first axis is not known when building.")
        return (self[i] for i in range(first[0]))
