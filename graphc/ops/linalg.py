"""Products of matrices."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import DimLike, product
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.graph import Node, Value
from graphc.ir.types import TensorType, broadcast_shapes
from graphc.ops.opdef import (
    Attribute,
    Attributes,
    OpDef,
    Types,
    need_dtype,
    need_rank,
    operand,
    optional,
    same_dtype,
)
from graphc.ops.shape_checks import agree

# -- MatMul -----------------------------------------------------------------------------------------------------------

MATMUL_DTYPES = (*FLOAT_DTYPES, "int32", "int64", "uint32", "uint64")


def _matmul_type(types: Types, _attributes: Attributes) -> tuple[TensorType]:
    x, y = operand(types, 0), operand(types, 1)
    dtype = same_dtype("MatMul", types)
    need_dtype("MatMul", x, MATMUL_DTYPES)
    if x.rank == 0 or y.rank == 0:
        raise ShapeError(
            f"MatMul: operands must have at least one axis; got {x} and {y}. Use Mul to scale by a scalar."
        )
    if agree(x.shape[-1], y.shape[-min(y.rank, 2)]) is None:
        which = "only" if y.rank == 1 else "second-to-last"
        raise ShapeError(
            f"MatMul: the last axis of x and the {which} axis of y must have one length; got {x} and {y}: "
            f"{x.shape[-1]} is not {y.shape[-min(y.rank, 2)]}."
        )
    try:
        batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ShapeError as error:
        raise ShapeError(f"MatMul: the axes before the last two of {x} and {y} must broadcast. {error}") from None
    rows = x.shape[-2:-1]  # empty for a vector
    columns = y.shape[-1:] if y.rank > 1 else ()
    return (TensorType(dtype, (*batch, *rows, *columns)),)


def _matmul_cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], _attributes: Attributes) -> DimLike:
    return outputs[0].size * inputs[0].shape[-1] * 2


def _matmul_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (x, y), (g,) = node.inputs, grads
    assert x is not None
    assert y is not None
    assert g is not None
    # A vector takes part as a matrix of one row (x) or of one column (y); g gets the axes that NumPy dropped.
    x_is_vector, y_is_vector = x.type.rank == 1, y.type.rank == 1
    if x_is_vector:
        x = b.emit("Unsqueeze", x, axes=(0,))
    if y_is_vector:
        y = b.emit("Unsqueeze", y, axes=(1,))
    dropped = ((-2,) if x_is_vector else ()) + ((-1,) if y_is_vector else ())
    if dropped:
        g = b.emit("Unsqueeze", g, axes=dropped)
    by_x, by_y = _matrix_gradients(b, x, y, g)
    if x_is_vector:
        by_x = b.emit("Squeeze", by_x, axes=(0,))
    if y_is_vector:
        by_y = b.emit("Squeeze", by_y, axes=(1,))
    return by_x, by_y


def _matrix_gradients(b: Builder, x: Value, y: Value, g: Value) -> tuple[Value, Value]:
    """``g @ y^T`` and ``x^T @ g`` for stacks of matrices.

    Where one operand is a single matrix and the other a stack (Dense on a sequence), its gradient is a sum over the
    stack. That sum is the inner axis of one product of flattened operands: no stack of gradients is made.
    """
    if x.type.rank == 2 and y.type.rank == 2:
        return b.emit("Gemm", g, y, trans_b=1), b.emit("Gemm", x, g, trans_a=1)
    if y.type.rank == 2:
        by_y = b.emit("Gemm", _stacked_rows(b, x), _stacked_rows(b, g), trans_a=1)
        return b.emit("MatMul", g, _transposed(b, y)), by_y
    if x.type.rank == 2:
        by_x = b.emit("Gemm", _stacked_columns(b, g), _stacked_columns(b, y), trans_b=1)
        return by_x, b.emit("MatMul", _transposed(b, x), g)
    return b.emit("MatMul", g, _transposed(b, y)), b.emit("MatMul", _transposed(b, x), g)


def _transposed(b: Builder, x: Value) -> Value:
    """Each matrix of a stack transposed."""
    rank = x.type.rank
    return b.emit("Transpose", x, perm=(*range(rank - 2), rank - 1, rank - 2))


def _stacked_rows(b: Builder, x: Value) -> Value:
    """A stack of matrices ``[..., m, k]`` as one, ``[... * m, k]``."""
    return b.emit("Reshape", x, shape=(product(x.type.shape[:-1]), x.type.shape[-1]))


def _stacked_columns(b: Builder, x: Value) -> Value:
    """A stack of matrices ``[..., m, k]`` as one, ``[m, ... * k]``."""
    rank, shape = x.type.rank, x.type.shape
    rows_first = b.emit("Transpose", x, perm=(rank - 2, *range(rank - 2), rank - 1))
    return b.emit("Reshape", rows_first, shape=(shape[-2], product((*shape[:-2], shape[-1]))))


# -- Gemm -------------------------------------------------------------------------------------------------------------


def _gemm_type(types: Types, attributes: Attributes) -> tuple[TensorType]:
    a, b, c = operand(types, 0), operand(types, 1), optional(types, 2)
    dtype = same_dtype("Gemm", types)
    need_dtype("Gemm", a, FLOAT_DTYPES)
    need_rank("Gemm", a, 2, "a")
    need_rank("Gemm", b, 2, "b")
    rows, inner = reversed(a.shape) if attributes["trans_a"] else a.shape
    inner_b, columns = reversed(b.shape) if attributes["trans_b"] else b.shape
    if agree(inner, inner_b) is None:
        raise ShapeError(
            f"Gemm: the inner lengths of a and b must be equal; got {a}{_mark(attributes['trans_a'])} "
            f"and {b}{_mark(attributes['trans_b'])}: {inner} is not {inner_b}."
        )
    if c is not None:
        _need_broadcast_to(c, (rows, columns))
    return (TensorType(dtype, (rows, columns)),)


def _mark(transposed: int) -> str:
    return " transposed" if transposed else ""


def _need_broadcast_to(c: TensorType, shape: tuple[DimLike, DimLike]) -> None:
    fits = c.rank <= 2 and all(
        dim == 1 or agree(dim, wanted) is not None
        for dim, wanted in zip(reversed(c.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise ShapeError(f"Gemm: c must broadcast to the product's shape [{shape[0]}, {shape[1]}]; got {c}.")


def _gemm_cost(inputs: Sequence[TensorType], outputs: Sequence[TensorType], attributes: Attributes) -> DimLike:
    inner = inputs[0].shape[0 if attributes["trans_a"] else 1]
    return outputs[0].size * inner * 2


def _gemm_vjp(b: Builder, node: Node, grads: Sequence[Value | None]) -> Sequence[Value | None]:
    (a, w), (g,) = node.inputs[:2], grads
    assert a is not None
    assert w is not None
    assert g is not None
    attributes = node.attributes
    alpha, beta, trans_a, trans_b = (attributes[name] for name in ("alpha", "beta", "trans_a", "trans_b"))
    # With A and B the operands as multiplied: dA = alpha g B^T and dB = alpha A^T g, each transposed once more where
    # the operand itself came transposed.
    if trans_a:
        by_a = b.emit("Gemm", w, g, alpha=alpha, trans_a=trans_b, trans_b=1)
    else:
        by_a = b.emit("Gemm", g, w, alpha=alpha, trans_b=int(not trans_b))
    if trans_b:
        by_b = b.emit("Gemm", g, a, alpha=alpha, trans_a=1, trans_b=trans_a)
    else:
        by_b = b.emit("Gemm", a, g, alpha=alpha, trans_a=int(not trans_a))
    if len(node.inputs) < 3:
        return by_a, by_b
    by_c = g if beta == 1.0 else b.emit("Mul", g, b.constant(beta, dtype=g.type.dtype))
    return by_a, by_b, by_c if node.inputs[2] is not None else None


OPS = (
    OpDef(
        name="MatMul",
        inputs=("x", "y"),
        infer=_matmul_type,
        vjp=_matmul_vjp,
        doc="The matrix product, as numpy.matmul: stacks of matrices broadcast, a vector is a row (x) or a column (y).",
        cost=_matmul_cost,
    ),
    OpDef(
        name="Gemm",
        inputs=("a", "b", "c?"),
        infer=_gemm_type,
        vjp=_gemm_vjp,
        doc="alpha * a @ b + beta * c for matrices, each of a and b transposed first on request; c broadcasts.",
        attributes={
            "alpha": Attribute("float", 1.0, "Scales the product."),
            "beta": Attribute("float", 1.0, "Scales c."),
            "trans_a": Attribute("int", 0, "1: transpose a first (ONNX's transA)."),
            "trans_b": Attribute("int", 0, "1: transpose b first (ONNX's transB)."),
        },
        cost=_gemm_cost,
    ),
)
