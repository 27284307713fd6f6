"""Dimensions: an ``int``, or a :class:`Dim`, a named length that is known only when data comes.

A ``Dim`` is a string, so it prints, compares and hashes as its name. Arithmetic on it gives a ``Dim`` whose name is a
canonical expression, or an ``int`` where the name cancels:

>>> height = Dim("height")
>>> (height - 2) // 2
Dim('(height - 2) // 2')
>>> (2 * height + 4) // 2 - height
2

Equal computations get equal names, so ``==`` on dims is equality of strings. The normal form is a polynomial with integer
coefficients over atoms; an atom is a name, a floor division, a remainder, a maximum or a minimum.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword
from typing import cast

from graphc.errors import ShapeError

_MAX_EXPRESSION = 2_000  # characters; a longer one is refused before Python's parser sees it
_MAX_TERMS = 1_000  # of a product; (a + b)*(c + d)*... doubles with each factor


def _is_name(text: str) -> bool:
    """False for a word that Python's parser, which reads expressions, keeps for itself."""
    return text.isidentifier() and not iskeyword(text)


class Dim(str):
    """A named dimension. Build one from an identifier or from an expression over identifiers."""

    __slots__ = ()

    def __new__(cls, name: str) -> Dim:
        return super().__new__(cls, name if _is_name(name) else _format(_parse(name)))

    def __repr__(self) -> str:
        return f"Dim({str.__repr__(self)})"

    def __add__(self, other: object) -> int | Dim:  # type: ignore[override]
        return _binary(self, other, _add)

    __radd__ = __add__

    def __sub__(self, other: object) -> int | Dim:
        return _binary(self, other, lambda a, b: _add(a, _scale(b, -1)))

    def __rsub__(self, other: object) -> int | Dim:
        return _binary(self, other, lambda a, b: _add(b, _scale(a, -1)))

    def __mul__(self, other: object) -> int | Dim:  # type: ignore[override]
        return _binary(self, other, _multiply)

    __rmul__ = __mul__  # type: ignore[assignment]

    def __floordiv__(self, other: object) -> int | Dim:
        return _binary(self, other, _floordiv)

    def __rfloordiv__(self, other: object) -> int | Dim:
        return _binary(self, other, lambda a, b: _floordiv(b, a))

    def __mod__(self, other: object) -> int | Dim:  # type: ignore[override]
        return _binary(self, other, _mod)

    def __rmod__(self, other: object) -> int | Dim:
        return _binary(self, other, lambda a, b: _mod(b, a))

    def __neg__(self) -> int | Dim:
        return _dim(_scale(_poly(self), -1))


DimLike = int | Dim
Shape = tuple[DimLike, ...]

# A polynomial maps each product of atoms (a sorted tuple) to its coefficient; the empty product is the constant.
_Poly = tuple[tuple[tuple["_Atom", ...], int], ...]


@dataclass(frozen=True, order=True)
class _Atom:
    """A name, or ``kind(left, right)`` for a floor division, remainder, max or min of polynomials."""

    text: str
    kind: str = "name"
    left: _Poly = ()
    right: _Poly = ()


def _normal(terms: Mapping[tuple[_Atom, ...], int]) -> _Poly:
    # Names first and the constant last, so that an expression reads as a person would write it.
    kept = [(atoms, k) for atoms, k in terms.items() if k]
    return tuple(sorted(kept, key=lambda term: (-len(term[0]), [a.text for a in term[0]])))


def _constant(value: int) -> _Poly:
    return (((), value),) if value else ()


def _as_constant(poly: _Poly) -> int | None:
    if not poly:
        return 0
    return poly[0][1] if len(poly) == 1 and poly[0][0] == () else None


def _add(a: _Poly, b: _Poly) -> _Poly:
    terms = dict(a)
    for atoms, k in b:
        terms[atoms] = terms.get(atoms, 0) + k
    return _normal(terms)


def _scale(a: _Poly, factor: int) -> _Poly:
    return _normal({atoms: k * factor for atoms, k in a})


def _multiply(a: _Poly, b: _Poly) -> _Poly:
    if len(a) * len(b) > _MAX_TERMS:
        raise ShapeError(f"A dimension's expression may have {_MAX_TERMS} terms; this product has {len(a) * len(b)}.")
    terms: dict[tuple[_Atom, ...], int] = {}
    for left, j in a:
        for right, k in b:
            atoms = tuple(sorted(left + right))
            terms[atoms] = terms.get(atoms, 0) + j * k
    return _normal(terms)


def _exact_quotient(a: _Poly, b: _Poly) -> _Poly | None:
    """``a / b`` where ``b`` is one product and divides every term of ``a``."""
    if len(b) != 1 or b[0][0] == ():
        return None
    atoms_b, k_b = b[0]
    terms: dict[tuple[_Atom, ...], int] = {}
    for atoms, k in a:
        rest = list(atoms)
        for atom in atoms_b:
            if atom not in rest:
                return None
            rest.remove(atom)
        if k % k_b:
            return None
        terms[tuple(rest)] = k // k_b
    return _normal(terms)


def _split_divisible(a: _Poly, n: int) -> tuple[_Poly, _Poly]:
    """Terms whose coefficient ``n`` divides (already divided), and the rest, with its constant reduced below ``n``."""
    whole: dict[tuple[_Atom, ...], int] = {}
    rest: dict[tuple[_Atom, ...], int] = {}
    for atoms, k in a:
        if atoms == ():
            whole[()], rest[()] = divmod(k, n)
        elif k % n == 0:
            whole[atoms] = k // n
        else:
            rest[atoms] = k
    return _normal(whole), _normal(rest)


def _floordiv(a: _Poly, b: _Poly) -> _Poly:
    n = _as_constant(b)
    if n == 0:
        raise ShapeError(f"A dimension is divided by zero: {_format(a)} // 0.")
    if n is None:
        exact = _exact_quotient(a, b)
        return exact if exact is not None else _atom("floordiv", a, b)
    if n < 0:
        a, n = _scale(a, -1), -n
    if n == 1:
        return a
    # (n*x + r) // n == x + r // n for integers; only r stays under the division.
    whole, rest = _split_divisible(a, n)
    value = _as_constant(rest)
    if value is not None:
        return _add(whole, _constant(value // n))
    match rest:  # (x // m + c) // n == (x + c*m) // (m*n)
        case ((((_Atom(kind="floordiv") as inner,), 1)), *constant) if (
            len(constant) == 0 or (len(constant) == 1 and constant[0][0] == ())
        ) and (m := _as_constant(inner.right)) is not None:
            c = constant[0][1] if constant else 0
            return _add(whole, _floordiv(_add(inner.left, _constant(c * m)), _constant(m * n)))
    return _add(whole, _atom("floordiv", rest, _constant(n)))


def _mod(a: _Poly, b: _Poly) -> _Poly:
    n = _as_constant(b)
    if n == 0:
        raise ShapeError(f"A dimension is divided by zero: {_format(a)} % 0.")
    if n is None:
        return () if _exact_quotient(a, b) is not None else _atom("mod", a, b)
    _, rest = _split_divisible(a, n)
    value = _as_constant(rest)
    return _constant(value % n) if value is not None else _atom("mod", rest, _constant(n))


def _extreme(kind: str, a: _Poly, b: _Poly) -> _Poly:
    if a == b:
        return a
    x, y = _as_constant(a), _as_constant(b)
    if x is not None and y is not None:
        return _constant(max(x, y) if kind == "max" else min(x, y))
    first, second = sorted((a, b), key=_format)
    return _atom(kind, first, second)


def _atom(kind: str, left: _Poly, right: _Poly) -> _Poly:
    if kind in ("max", "min"):
        text = f"{kind}({_format(left)}, {_format(right)})"
    else:
        sign = "//" if kind == "floordiv" else "%"
        text = f"{_grouped(left)} {sign} {_grouped(right)}"
    return (((_Atom(text, kind, left, right),), 1),)


def _grouped(poly: _Poly) -> str:
    text = _format(poly)
    match poly:
        case ((((_Atom(kind="max" | "min"),), 1)),):
            return text
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _factor(atom: _Atom) -> str:
    return f"({atom.text})" if atom.kind in ("floordiv", "mod") else atom.text


def _absorb_constant(poly: _Poly) -> _Poly:
    """``height // 2 - 1`` as ``(height - 2) // 2``, the way it is usually written; the value is the same."""
    match poly:
        case ((((_Atom(kind="floordiv") as atom,), 1)), ((), constant)) if (n := _as_constant(atom.right)) is not None:
            text = f"{_grouped(_add(atom.left, _constant(constant * n)))} // {n}"
            return ((((_Atom(text, "floordiv"),), 1)),)
    return poly


def _format(poly: _Poly) -> str:
    poly = _absorb_constant(poly)
    if len(poly) == 1 and poly[0][1] == 1 and len(poly[0][0]) == 1:
        return poly[0][0][0].text
    parts: list[str] = []
    for atoms, k in poly:
        product = "*".join(_factor(a) for a in atoms)
        size = abs(k)
        text = product if size == 1 and product else f"{size}*{product}" if product else str(size)
        if not parts:
            parts.append(text if k > 0 else f"-{text}")
        else:
            parts.append(f" + {text}" if k > 0 else f" - {text}")
    return "".join(parts) or "0"


_OPERATORS: dict[type[ast.operator], Callable[[_Poly, _Poly], _Poly]] = {
    ast.Add: _add,
    ast.Sub: lambda a, b: _add(a, _scale(b, -1)),
    ast.Mult: _multiply,
    ast.FloorDiv: _floordiv,
    ast.Mod: _mod,
}


@cache
def _parse(text: str) -> _Poly:
    if len(text) > _MAX_EXPRESSION:
        raise ShapeError(f"A dimension's expression has {len(text)} characters; at most {_MAX_EXPRESSION} are read.")
    try:
        return _from_ast(ast.parse(text, mode="eval").body)
    except ShapeError:  # a division by zero, too many terms: it says more than the lines below
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ShapeError(
            f"{text!r} is not a dimension: use a name such as 'batch', or an expression of names, integers, "
            "+, -, *, //, %, max(a, b) and min(a, b)."
        ) from None


def _from_ast(node: ast.expr) -> _Poly:
    match node:
        case ast.Name(id=name):
            return (((_Atom(name),), 1),)
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return _constant(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _scale(_from_ast(operand), -1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_from_ast(left), _from_ast(right))
        case ast.Call(func=ast.Name(id=("max" | "min") as kind), args=[left, right], keywords=[]):
            return _extreme(kind, _from_ast(left), _from_ast(right))
    raise ValueError("not a dimension expression")


def _poly(dim: object) -> _Poly:
    if isinstance(dim, str):
        return _parse(str(dim))
    return _constant(int(dim))  # type: ignore[call-overload]


def _dim(poly: _Poly) -> DimLike:
    value = _as_constant(poly)
    if value is not None:
        return value
    return str.__new__(Dim, _format(poly))


def _binary(left: object, right: object, combine: Callable[[_Poly, _Poly], _Poly]) -> DimLike:
    if isinstance(right, bool) or not (isinstance(right, str) or hasattr(right, "__index__")):
        return cast(DimLike, NotImplemented)  # Python then asks the other operand
    return _dim(combine(_poly(left), _poly(right)))


def as_dim(value: object) -> DimLike:
    """An ``int`` or :class:`Dim` from an integer, a name or an expression.

    Raises:
        ShapeError: ``value`` is neither, or is a negative integer.
    """
    if isinstance(value, Dim):
        return value
    if isinstance(value, str):
        return _dim(_parse(value))
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ShapeError(f"A dimension must be an integer or a name; got {value!r} of type {type(value).__name__}.")
    size = int(value)
    if size < 0:
        raise ShapeError(f"A dimension must not be negative; got {size}.")
    return size


def as_shape(values: Iterable[object]) -> Shape:
    """A tuple of dims from any iterable of integers and names."""
    return tuple(as_dim(v) for v in values)


def dim_max(a: DimLike, b: DimLike) -> DimLike:
    """The larger of two dims, as an ``int`` where both are known."""
    return _dim(_extreme("max", _poly(a), _poly(b)))


def dim_min(a: DimLike, b: DimLike) -> DimLike:
    """The smaller of two dims, as an ``int`` where both are known."""
    return _dim(_extreme("min", _poly(a), _poly(b)))


def ceil_div(a: DimLike, b: int) -> DimLike:
    """``a / b`` rounded up, for a positive integer ``b``."""
    return (a + (b - 1)) // b


def product(dims: Iterable[DimLike]) -> DimLike:
    """The number of elements of a shape."""
    total: DimLike = 1
    for dim in dims:
        total = total * dim if isinstance(total, Dim) or not isinstance(dim, Dim) else dim * total
    return total


def free_names(dim: DimLike) -> frozenset[str]:
    """The plain names that a dim depends on; empty for an ``int``."""
    if not isinstance(dim, str):
        return frozenset()
    names: set[str] = set()
    todo = [_poly(dim)]
    while todo:
        for atoms, _ in todo.pop():
            for atom in atoms:
                if atom.kind == "name":
                    names.add(atom.text)
                else:
                    todo += [atom.left, atom.right]
    return frozenset(names)


def substitute(dim: DimLike, sizes: Mapping[str, DimLike]) -> DimLike:
    """``dim`` with names replaced; an ``int`` once every name it depends on has an integer in ``sizes``."""
    if not isinstance(dim, str):
        return dim
    if dim in sizes:  # the common case: a plain name
        return sizes[dim]
    return _dim(_substitute(_poly(dim), sizes))


def _substitute(poly: _Poly, sizes: Mapping[str, DimLike]) -> _Poly:
    total: _Poly = ()
    for atoms, k in poly:
        term = _constant(k)
        for atom in atoms:
            if atom.kind == "name":
                value = _poly(sizes[atom.text]) if atom.text in sizes else (((atom,), 1),)
            else:
                left, right = _substitute(atom.left, sizes), _substitute(atom.right, sizes)
                if atom.kind in ("max", "min"):
                    value = _extreme(atom.kind, left, right)
                else:
                    value = _floordiv(left, right) if atom.kind == "floordiv" else _mod(left, right)
            term = _multiply(term, value)
        total = _add(total, term)
    return total
