"""``fuse_gemm``: a product of matrices with its bias and its transposes as one ``Gemm``.

::

    %t: float32[784, 64] = Transpose(%w)
    %m: float32[batch, 64] = MatMul(%x, %t)      ->   %y: float32[batch, 64] = Gemm(%x, %w, %b) {trans_b = 1}
    %y: float32[batch, 64] = Add(%m, %b)

``x @ y + c`` is ``Gemm(x, y, c)`` where both operands are matrices and ``c`` broadcasts to their product; a transpose
of an operand is a flag. Kernels for stacks of matrices are others, so products of another rank stay.

Exact in float32 and float64: the same product is rounded once, then the sum. A float16 ``Gemm`` adds in float32 before
it rounds, so that it is more precise than the two ops, and not the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.errors import ShapeError
from graphc.ir import dtypes
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import broadcast_shapes
from graphc.ops.movement import permutation
from graphc.passes.base import Options, PassResult
from graphc.passes.rewrite import Rewriter, Rule, apply_rules


def fuse_gemm(graph: Graph, options: Options) -> PassResult:
    """Merge transposes and additions into the products next to them."""
    return apply_rules(graph, RULES, options)


def _matrix_product(rewriter: Rewriter, value: Value | None) -> Node | None:
    """The product of two float matrices that a value is, without anything added yet."""
    node = rewriter.producer(value, "MatMul") or rewriter.producer(value, "Gemm")
    if node is None or len([v for v in node.inputs if v is not None]) != 2:
        return None
    matrices = all(v is not None and v.type.rank == 2 and dtypes.is_float(v.type.dtype) for v in node.inputs[:2])
    return node if matrices else None


def _gemm(rewriter: Rewriter, product: Node, *operands: Value | None, **changes: Any) -> Value:
    """A Gemm of some operands, with the attributes that a product has or, for a MatMul, the defaults."""
    attributes = dict(product.attributes) if product.op == "Gemm" else {}
    return rewriter.build.emit("Gemm", *operands, **{**attributes, **changes})


# -- transposes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Transposed:
    """A product, and for each operand the node that transposes it or None."""

    product: Node
    transposes: tuple[Node | None, Node | None]


def _match_transposes(rewriter: Rewriter, node: Node) -> _Transposed | None:
    if node.op != "Gemm" and _matrix_product(rewriter, node.output) is None:
        return None
    left, right = (rewriter.producer(v, "Transpose") for v in node.inputs[:2])
    left, right = (t if t and permutation(2, t.attributes["perm"]) == (1, 0) else None for t in (left, right))
    return _Transposed(node, (left, right)) if left or right else None


def _check_transposes(rewriter: Rewriter, match: _Transposed) -> str:
    # The kernel sees the same memory either way, as long as the transpose is a view; a result is a copy.
    for transpose in match.transposes:
        if transpose is not None and rewriter.graph.is_result(transpose.output):
            return f"the transpose %{transpose.name} is a result of the graph"
    return ""


def _rewrite_transposes(rewriter: Rewriter, match: _Transposed) -> Value:
    product = match.product
    operands = list(product.inputs)
    flags = {}
    for slot, (name, transpose) in enumerate(zip(("trans_a", "trans_b"), match.transposes, strict=True)):
        if transpose is not None:
            operands[slot] = transpose.inputs[0]
            flags[name] = 1 - (product.attributes[name] if product.op == "Gemm" else 0)
    return _gemm(rewriter, product, *operands, **flags)


# -- bias --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Biased:
    """A product and what is added to it."""

    total: Node
    product: Node
    bias: Value


def _match_bias(rewriter: Rewriter, node: Node) -> _Biased | None:
    if node.op != "Add":
        return None
    found = []
    for value, bias in (node.inputs, tuple(reversed(node.inputs))):
        product = _matrix_product(rewriter, value)
        if product is not None and bias is not None:
            found.append(_Biased(node, product, bias))
    # Where both operands are products, take the one that can go.
    return next((m for m in found if rewriter.graph.has_one_use(m.product.output)), found[0] if found else None)


def _check_bias(rewriter: Rewriter, match: _Biased) -> str:
    product, bias = match.product.output, match.bias.type
    if bias.rank > 2 or _broadcast(product, match.bias) != product.type.shape:
        return f"{bias} does not broadcast to the product {product.type}"
    if not rewriter.graph.has_one_use(product):
        return f"the product %{product.name} has other uses"
    if bias.dtype == "float16" and rewriter.options.exact_only:
        return "a float16 Gemm rounds once where the two ops round twice, and only exact rewrites are wanted"
    return ""


def _broadcast(a: Value, b: Value) -> tuple[object, ...] | None:
    try:
        return broadcast_shapes(a.type.shape, b.type.shape)
    except ShapeError:
        return None


def _rewrite_bias(rewriter: Rewriter, match: _Biased) -> Value:
    return _gemm(rewriter, match.product, *match.product.inputs[:2], match.bias)


RULES = (
    Rule("transpose", _match_transposes, _check_transposes, _rewrite_transposes),
    Rule("bias", _match_bias, _check_bias, _rewrite_bias),
)
