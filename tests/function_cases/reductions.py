"""Cases of the functions in `graphc.ops.functional.reduction`, `.linalg` and `.contraction`."""

from __future__ import annotations

from typing import Any

import numpy as np
from function_cases.case import FunctionCase as Case
from function_cases.case import booleans, integers, numbers

AXES: tuple[Any, ...] = (None, 0, -1, (0, 2), [1, 2], ())
NANS = np.float32([[1, np.nan, 3], [np.nan, np.nan, np.nan], [4, 5, -6]])


def tuple_axis(name: str) -> Any:
    """NumPy's function, with lists of axes as tuples."""

    def oracle(x: Any, axis: Any = None, **more: Any) -> Any:
        return getattr(np, name)(x, axis=tuple(axis) if isinstance(axis, list) else axis, **more)

    return oracle


def over_axes(name: str, dtype: str = "float32", **more: Any) -> list[Case]:
    """A reduction over each choice of axes, with and without the reduced axes kept."""
    return [
        Case(name, [numbers(5, 2, 3)], {"axis": axis, "keepdims": keep}, oracle=tuple_axis(name), dtype=dtype,
             rtol=1e-5, atol=1e-6,
             id=f"axis-{axis}-{keep}", **more)
        for axis in AXES
        for keep in (False, True)
    ]  # fmt: skip


def of_dtypes(name: str, **results: str) -> list[Case]:
    """A reduction of other dtypes, with the dtype of each result."""
    kinds = {
        "bool": booleans(5, 3),
        "uint8": integers(5, 3, low=0, high=4, dtype="uint8"),
        "int8": integers(5, 3, low=-3, high=4, dtype="int8"),
        "int32": integers(5, 3, low=-3, high=4),
        "float16": numbers(5, 3).astype("float16"),
    }
    return [
        Case(name, [kinds[kind]], {"axis": 0}, oracle=lambda x, axis: getattr(np,
             name)(x.astype(float) if x.dtype.kind != "b"
             or name not in ("max", "min") else x, axis=axis), dtype=dtype, rtol=2e-3, atol=2e-3, id=kind)
        for kind, dtype in results.items()
    ]  # fmt: skip


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.log(np.sum(np.exp(np.asarray(x, float)), axis=axis, keepdims=keepdims))


def argument(name: str) -> list[Case]:
    x = integers(5, 4, 3).astype("float32")
    return [
        Case(name, [x], {"axis": axis, "keepdims": keep}, dtype="int32", id=f"axis-{axis}-{keep}")
        for axis in (None, 0, 1, -1)
        for keep in (False, True)
    ] + [Case(name, [booleans(5, 3)], {"axis": 1}, dtype="int32", id="booleans")]


SUM = {"bool": "int32", "uint8": "uint32", "int8": "int32", "int32": "int32", "float16": "float16"}
SAME = {"bool": "bool", "uint8": "uint8", "int8": "int8", "int32": "int32", "float16": "float16"}
MEAN = {"bool": "float32", "uint8": "float32", "int8": "float32", "int32": "float32", "float16": "float16"}

EINSUMS: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("bi,io->bo", ((5, 3), (3, 4))),
    ("bti,io->bto", ((5, 7, 3), (3, 4))),
    ("oi,bti->bto", ((4, 3), (5, 7, 3))),
    ("btnh,bsnh->bnts", ((5, 7, 2, 3), (5, 4, 2, 3))),
    ("bnts,bsnh->btnh", ((5, 2, 7, 4), (5, 4, 2, 3))),
    ("bth,hnd->btnd", ((5, 7, 3), (3, 2, 4))),
    ("btnd,ndh->bth", ((5, 7, 2, 4), (2, 4, 3))),
    ("ij,jk->ki", ((2, 3), (3, 4))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("ba,ca", ((2, 3), (4, 3))),
    ("i,i->", ((3,), (3,))),
    ("i,j->ij", ((3,), (4,))),
    ("i,j->ji", ((3,), (4,))),
    ("bi,bi->b", ((5, 3), (5, 3))),
    ("bi,bi->bi", ((5, 3), (5, 3))),
    ("ijk,k->ij", ((2, 3, 4), (4,))),
    ("ijk,jl->kil", ((2, 3, 4), (3, 2))),
    ("ijk,ilk->", ((2, 3, 4), (2, 3, 4))),
    ("ij->ji", ((2, 3),)),
    ("ijk->k", ((2, 3, 4),)),
    ("ij->", ((2, 3),)),
    ("ii->i", ((3, 3),)),
    ("ii", ((3, 3),)),
    ("iji,j->i", ((3, 2, 3), (2,))),
    ("...ij,...jk->...ik", ((5, 2, 3), (5, 3, 4))),
    ("...ij,jk->...ik", ((5, 2, 2, 3), (3, 4))),
    ("b...,b...->...", ((5, 2, 3), (5, 2, 3))),
    ("...", ((2, 3),)),
    ("ab,bc,cd->ad", ((2, 3), (3, 4), (4, 2))),
    ("ab,bc,ab->c", ((2, 3), (3, 4), (2, 3))),
    ("abcd,cdef->abef", ((2, 3, 4, 2), (4, 2, 3, 2))),
    ("abcd,cbe->ade", ((2, 3, 4, 2), (4, 3, 5))),
    ("ab,cd->abcd", ((2, 3), (4, 2))),
    ("ab,cb->a", ((2, 3), (4, 3))),
)


def cross_cases() -> list[Case]:
    return [
        Case("cross", [numbers(5, 3), numbers(5, 3)]),
        Case("cross", [numbers(5, 3), numbers(3)], id="broadcast"),
        Case("cross", [numbers(3, 5), numbers(3, 5)], {"axis": 0}, id="axis-0"),
        Case("cross", [numbers(5, 2, 3), numbers(3, 5, 2)], {"axisa": -1, "axisb": 0, "axisc": 1}, id="three-axes"),
    ]


def cross2(a: Any, b: Any) -> Any:
    """NumPy dropped vectors of length 2."""
    a3, b3 = (v if v.shape[-1] == 3 else np.concatenate([v, np.zeros((*v.shape[:-1], 1))], -1) for v in (a, b))
    result = np.cross(a3, b3)
    return result[..., 2] if a.shape[-1] == b.shape[-1] == 2 else result


NORMS: tuple[tuple[Any, Any], ...] = (
    *((o, 1) for o in (None, 1, 2, 3, 0, np.inf, -np.inf)),
    *((o, (0, 1)) for o in (None, "fro", 1, -1, np.inf, -np.inf)),
    (1, (2, 0)),
    (np.inf, (-1, 1)),
)

CASES: list[Case] = [
    *over_axes("sum"),
    *of_dtypes("sum", **SUM),
    *over_axes("mean"),
    *of_dtypes("mean", **MEAN),
    *over_axes("prod"),
    *of_dtypes("prod", **SUM),
    Case("prod", [integers(5, 3)], {"axis": 1, "dtype": "float32"}, id="dtype"),
    *over_axes("max"),
    *of_dtypes("max", **SAME),
    Case("max", [numbers(5, 3)], {"axis": 0, "initial": 0.5}, id="initial"),
    *over_axes("min"),
    *of_dtypes("min", **SAME),
    Case("min", [numbers(5, 3)], {"axis": 0, "initial": 0.5}, id="initial"),
    *over_axes("amax")[:3],
    *over_axes("amin")[:3],
    *over_axes("ptp")[:8],
    *over_axes("var"),
    *of_dtypes("var", **MEAN),
    *over_axes("std"),
    *of_dtypes("std", **MEAN),
    Case("mean", [np.full((5, 3), 60000, "float16")], dtype="float16", id="float16-overflow"),
    *(Case(name, [numbers(5, 2, 3) > 0.5], {"axis": axis, "keepdims": keep}, oracle=tuple_axis(name), dtype="bool",
           id=f"axis-{axis}-{keep}") for name in ("any", "all") for axis in AXES for keep in (False, True)),
    Case("any", [integers(5, 3, low=0, high=2)], {"axis": 1}, dtype="bool", id="integers"),
    Case("all", [numbers(5, 3).round()], {"axis": 1}, dtype="bool", id="floats"),
    *argument("argmax"),
    *argument("argmin"),
    Case("average", [numbers(5, 3)]),
    Case("average", [integers(5, 3)], {"axis": 1}, id="integers"),
    Case("average", [numbers(5, 3), 1, np.float32([1, 2, 3])], id="weights-of-an-axis"),
    Case("average", [numbers(5, 3), None, numbers(5, 3, low=0.5, high=1)], id="weights-of-all"),
    Case("count_nonzero", [integers(5, 3, low=-1, high=2)], dtype="int32"),
    Case("count_nonzero", [integers(5, 3, low=-1, high=2)], {"axis": 1}, dtype="int32", id="axis"),
    Case("count_nonzero", [booleans(5, 3)], {"axis": (0, 1)}, dtype="int32", id="booleans"),
    *(Case("logsumexp", [numbers(5, 2, 3)], {"axis": axis, "keepdims": keep}, oracle=logsumexp, rtol=1e-5,
           id=f"axis-{axis}-{keep}") for axis in (None, 0, -1, (0, 2)) for keep in (False, True)),
    Case("logsumexp", [integers(5, 3)], {"axis": 1}, oracle=logsumexp, id="integers"),
    *(Case("cumsum", [numbers(5, 2, 3)], {"axis": axis}, rtol=1e-5, id=f"axis-{axis}") for axis in (None, 0, -1)),
    Case("cumsum", [booleans(5, 3)], {"axis": 0}, dtype="int32", id="booleans"),
    Case("cumsum", [integers(5, 3, dtype="int8")], {"axis": 0}, dtype="int8", id="int8"),
    Case("cumsum", [integers(5, 3)], {"axis": 0, "dtype": "float32"}, id="dtype"),
    *(Case(name, [NANS], {"axis": axis}, rtol=1e-5, id=f"axis-{axis}")
      for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin") for axis in (None, 0, 1)),
    Case("nansum", [integers(5, 3)], {"axis": 1, "keepdims": True}, dtype="int32", id="integers"),
    Case("nanmean", [integers(5, 3)], {"axis": 1, "keepdims": True}, id="integers"),
    Case("nanmax", [integers(5, 3)], {"axis": 1}, dtype="int32", id="integers"),
    # products
    *(Case("matmul", [numbers(*a), numbers(*b)], rtol=1e-5, id=f"{a}-{b}") for a, b in (
        ((5, 3), (3, 4)), ((5, 7, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)),
        ((3,), (3,)), ((5, 3), (3,)), ((3,), (3, 4)), ((3,), (5, 3, 4)))),
    Case("matmul", [integers(5, 3), integers(3, 4)], dtype="int32", id="integers"),
    Case("matmul", [integers(5, 3, dtype="int8"), integers(3, 4, dtype="int8")], oracle=lambda a, b: a.astype(int) @ b,
         dtype="int32", id="int8"),
    Case("matmul", [integers(5, 3, dtype="int16"), integers(3, 4, dtype="int16")], dtype="int16", id="int16"),
    Case("matmul", [booleans(5, 3), booleans(3, 4)], dtype="bool", id="booleans"),
    Case("matmul", [integers(5, 3), numbers(3, 4)], id="integers-and-floats"),
    *(Case("dot", [numbers(*a), numbers(*b)], rtol=1e-5, id=f"{a}-{b}") for a, b in (
        ((3,), (3,)), ((5, 3), (3, 4)), ((5, 2, 3), (3,)), ((5, 2, 3), (2, 3, 4)), ((3,), (2, 3, 4)))),
    Case("dot", [numbers(5, 3), 2.5], id="number"),
    *(Case("inner", [numbers(*a), numbers(*b)], rtol=1e-5, id=f"{a}-{b}") for a, b in (
        ((3,), (3,)), ((5, 3), (4, 3)), ((5, 2, 3), (3,)), ((5, 2, 3), (4, 2, 3)))),
    Case("outer", [numbers(5), numbers(3)]),
    Case("outer", [numbers(5, 2), integers(3)], id="flattened"),
    Case("vdot", [numbers(5, 3), numbers(5, 3)], rtol=1e-5),
    Case("kron", [numbers(5, 2), numbers(3, 4)]),
    Case("kron", [numbers(3), numbers(2, 4)], id="ranks"),
    *cross_cases(),
    *(Case("cross", [numbers(5, m), numbers(5, n)], oracle=cross2, id=f"{m}-{n}") for m, n in ((2, 2), (2, 3), (3, 2))),
    Case("cdist", [numbers(5, 3), numbers(4, 3)], oracle=lambda x, y: np.linalg.norm(x[:, None] - y, axis=-1),
         rtol=1e-5),
    Case("cdist", [numbers(5, 2, 3), numbers(5, 4, 3)], oracle=lambda x, y: np.linalg.norm(x[:, :, None] - y[:, None],
         axis=-1),
         rtol=1e-5, id="stacked"),
    *(Case("norm", [numbers(5, 2, 3)], {"ord": o, "axis": axis, "keepdims": keep}, oracle=np.linalg.norm, rtol=1e-5,
           id=f"{o}-{axis}-{keep}") for o, axis in NORMS for keep in (False, True)),
    Case("norm", [numbers(5, 2, 3)], oracle=lambda x: np.sqrt(np.sum(x * x)), rtol=1e-5, id="all"),
    Case("norm", [integers(5, 3)], {"ord": 1}, oracle=np.linalg.norm, id="integers"),
    *(Case("tensordot", [numbers(*a), numbers(*b), axes], rtol=1e-5, id=f"{axes}") for a, b, axes in (
        ((5, 2, 3), (3, 4), 1), ((5, 2, 3), (2, 3, 4), 2), ((5, 2, 3), (4, 2), ([1], [1])),
        ((5, 2, 3), (3, 2, 4), ([2, 1], [0, 1])), ((5, 2), (3, 4), 0), ((2, 3), (2, 3), 2),
        ((5, 2, 3), (5, 2, 3), ((0, -1), (0, 2))))),
    *(Case("einsum", [text, *(numbers(*shape) for shape in shapes)], rtol=1e-5, id=text) for text, shapes in EINSUMS),
    Case("einsum", ["ij,jk->ik", integers(5, 3), integers(3, 4)], dtype="int32", id="integers"),
    Case("einsum", ["ij,jk->ik", integers(5, 3), numbers(3, 4)], id="mixed"),
]  # fmt: skip
