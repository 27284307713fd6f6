"""What functions of `graphc.ops` say to wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from function_cases.harness import ROWS, run_named

from graphc import ops
from graphc.errors import ArgumentError, DataError, DTypeError, ShapeError

A, B, C = ROWS, np.ones((2, 3), np.float32), np.ones((1, 8, 8, 3), np.float32)
ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "broadcast": (lambda: ops.add(A, B), ShapeError, r"Add: Shapes \[3, 4\] and \[2, 3\] do not broadcast"),
    "matmul": (lambda: ops.matmul(A, B), ShapeError, "4 is not 2"),
    "axis-range": (lambda: ops.sum(A, axis=2), ShapeError, "sum: axis 2 is out of range for a tensor of rank 2"),
    "axis-twice": (lambda: ops.mean(A, axis=(0, -2)), ShapeError, "mean: axis .* names an axis twice"),
    "axis-kind": (lambda: ops.max(A, axis=1.0), ArgumentError, "max: axis must be None, an integer or a tuple"),
    "axis-bool": (lambda: ops.argmax(A, axis=True), ArgumentError, "argmax: axis must be an integer; got True"),
    "reshape": (lambda: ops.reshape(A, (5, -1)), ShapeError, "12 elements"),
    "reshape-none": (
        lambda: ops.reshape(A, (None, 4)),
        ShapeError,
        r"holds None. Take lengths .* graphc.ops.shape\(x\)",
    ),
    "reshape-kind": (lambda: ops.reshape(A, (3, 4.0)), ShapeError, "reshape: a shape holds integers and dims; got 4.0"),
    "transpose": (lambda: ops.transpose(A, (0,)), ShapeError, "each of the 2 axes of .* once"),
    "moveaxis": (lambda: ops.moveaxis(A, (0, 1), 0), ArgumentError, "must name as many axes"),
    "squeeze": (lambda: ops.squeeze(A, 0), ShapeError, "must have length 1; it has 3"),
    "broadcast-to": (lambda: ops.broadcast_to(A, (3, 5)), ShapeError, r"\(3, 4\) does not broadcast to \(3, 5\)"),
    "concatenate-empty": (lambda: ops.concatenate([]), ArgumentError, "at least one tensor"),
    "concatenate-tensor": (lambda: ops.concatenate(A), ArgumentError, "expected a list"),
    "concatenate-ranks": (lambda: ops.concatenate([A, A[0]]), ShapeError, "must have one rank"),
    "concatenate-shapes": (lambda: ops.concatenate([A, B]), ShapeError, "one shape except along axis 0"),
    "split": (lambda: ops.split(A, 3, axis=1), ShapeError, "cannot be cut into 3 equal parts"),
    "split-order": (lambda: ops.split(A, [2, 1], axis=1), ArgumentError, "must ascend"),
    "split-zero": (lambda: ops.split(A, 0), ArgumentError, "must be positive"),
    "unstack": (lambda: ops.unstack(A, num=4), ArgumentError, "has length 3, not num=4"),
    "repeat": (lambda: ops.repeat(A, [1, 2], axis=0), ArgumentError, "2 repeats were given for axis 0 of length 3"),
    "repeat-negative": (lambda: ops.repeat(A, -1), ArgumentError, "integers from 0 on"),
    "roll": (lambda: ops.roll(A, (1, 2), 0), ArgumentError, "one length"),
    "rot90": (lambda: ops.rot90(A, axes=(0, 0)), (ArgumentError, ShapeError), "rot90: ax"),
    "pad-mode": (lambda: ops.pad(A, 1, mode="mirror"), ArgumentError, "mode must be one of constant, edge"),
    "pad-value": (lambda: ops.pad(A, 1, "edge", 2), ArgumentError, "constant_values goes with"),
    "pad-width": (lambda: ops.pad(A, (1, 2, 3)), ArgumentError, "pad_width must be"),
    "index-range": (lambda: ops.get_item(A, 3), ShapeError, "index 3 is out of range for axis 0 of length 3"),
    "index-many": (
        lambda: ops.get_item(A, (0, 0, 0)),
        ShapeError,
        r"3 indices were given for a tensor of shape \(3, 4\)",
    ),
    "index-pair": (
        lambda: ops.get_item(A, ([0, 1], [4, 0])),
        ShapeError,
        r"out of range for an axis of length 4: \[4, 0\]",
    ),
    "index-float": (lambda: ops.get_item(A, 0.5), ArgumentError, "an index must be an integer"),
    "index-float-array": (
        lambda: ops.get_item(A, np.ones(2)),
        DTypeError,
        "indices must be integers; got dtype float64",
    ),
    "index-bool": (lambda: ops.get_item(A, True), ArgumentError, "True and False are no indices"),
    "index-ellipses": (lambda: ops.get_item(A, (..., ...)), ArgumentError, "only one"),
    "index-step": (lambda: ops.get_item(A, slice(None, None, 0)), ArgumentError, "not zero"),
    "slice": (lambda: ops.slice(A, (0, 0), (4, 1)), ShapeError, "a block of length 4 does not fit axis 0"),
    "slice-starts": (lambda: ops.slice(A, (0,), (2, 2)), ShapeError, "one position for each of the 2 axes"),
    "take": (lambda: ops.take(A, [0.5]), DTypeError, "take: indices must be integers"),
    "take-along": (lambda: ops.take_along_axis(A, [0], 1), ShapeError, "must have one rank"),
    "segment-sum": (lambda: ops.segment_sum(A, [0, 0, 1]), ArgumentError, "num_segments must be given"),
    "scatter": (lambda: ops.scatter([0, 1], [1.0, 2.0], (3,)), ShapeError, r"indices must have shape \(n, k\)"),
    "scatter-update": (lambda: ops.scatter_update(A, [[0]], A[:1], "max"), ArgumentError, "reduction must be one of"),
    "diag": (lambda: ops.diag(C), ShapeError, "a vector or a matrix"),
    "one-hot": (lambda: ops.one_hot([1], 2.5), ArgumentError, "num_classes must be an integer"),
    "one-hot-sparse": (lambda: ops.one_hot([1], 2, sparse=True), ArgumentError, "no sparse tensors"),
    "multi-hot": (lambda: ops.multi_hot([1]), ArgumentError, "num_classes must be given"),
    "power": (lambda: ops.power(np.int32([2]), -1), ArgumentError, "cast them to float32 first"),
    "where": (lambda: ops.where(A > 0, A), ArgumentError, "both x1 and x2"),
    "select": (lambda: ops.select([], []), ArgumentError, "condlist and choicelist"),
    "dtype": (lambda: ops.cast(A, "float31"), DTypeError, 'Did you mean "float32"'),
    "sparse": (lambda: ops.convert_to_tensor(A, sparse=True), ArgumentError, "no sparse"),
    "strings": (lambda: ops.add(["a"], 1), DataError, "Expected numbers or booleans"),
    "objects": (lambda: ops.exp(np.array([None])), DTypeError, "Unknown dtype"),
    "einsum-operands": (lambda: ops.einsum("ij,jk", A), ArgumentError, "describes 2 operands; 1 were given"),
    "einsum-rank": (lambda: ops.einsum("ijk->i", A), ShapeError, "does not fit an operand of rank 2"),
    "einsum-lengths": (lambda: ops.einsum("ij,ij->i", A, B), ShapeError, "has lengths 3 and 2"),
    "einsum-letters": (lambda: ops.einsum("i1->i", A), ArgumentError, "must consist of letters"),
    "einsum-output": (lambda: ops.einsum("ij->ik", A), ArgumentError, "must name letters of the operands"),
    "tensordot": (lambda: ops.tensordot(A, B, 1), ShapeError, "axis 1 of .* and axis 0 of .* must have one length"),
    "tensordot-axes": (lambda: ops.tensordot(A, B, 3), ArgumentError, "axes=3 is more than the axes"),
    "cross": (lambda: ops.cross(A, A), ShapeError, "length 2 or 3"),
    "norm-order": (lambda: ops.norm(A, "nuc"), ArgumentError, "singular values"),
    "norm-axes": (lambda: ops.norm(C, 1), ShapeError, "one axis or two"),
    "softmax": (lambda: ops.softmax(A, 5), ShapeError, "softmax: axis 5 is out of range"),
    "glu": (lambda: ops.glu(B), ShapeError, "even length"),
    "conv-rank": (lambda: ops.conv(A, A), ShapeError, "conv: the input must have rank 3 to 5"),
    "conv-kernel": (lambda: ops.conv(C, A), ShapeError, "the kernel must have the rank of the input"),
    "conv-channels": (lambda: ops.conv(C, np.ones((3, 3, 2, 4))), ShapeError, "divisible by those of the kernel"),
    "conv-small": (lambda: ops.conv(C, np.ones((9, 9, 3, 4))), ShapeError, "output would have no elements"),
    "conv-padding": (lambda: ops.conv(C, np.ones((3, 3, 3, 4)), padding="sme"), ArgumentError, '"valid" or "same"'),
    "conv-strides": (lambda: ops.conv(C, np.ones((3, 3, 3, 4)), (1, 2, 3)), ArgumentError, "strides must be"),
    "conv-format": (lambda: ops.conv(C, C, data_format="NHWC"), ArgumentError, "data_format must be"),
    "depthwise": (lambda: ops.depthwise_conv(C, np.ones((3, 3, 2, 1))), ShapeError, "is for 2 channels"),
    "pool": (lambda: ops.max_pool(C, 0), ArgumentError, "pool_size must be a positive integer"),
    "moments": (lambda: ops.moments(A, [0], synchronized=True), ArgumentError, "one device"),
    "layer-normalization": (lambda: ops.layer_normalization(A, np.ones(3)), ShapeError, "gamma must have shape"),
    "layer-normalization-keyword": (lambda: ops.layer_normalization(A, eps=1), ArgumentError, "eps"),
    "normalize": (lambda: ops.normalize(A, order=0), ArgumentError, "order must be an integer from 1 on"),
    "crossentropy": (lambda: ops.binary_crossentropy(A, B), ShapeError, "target and output must have the same shape"),
    "categorical": (lambda: ops.categorical_crossentropy(A, B), ShapeError, r"target \(3, 4\) and output \(2, 3\)"),
    "sparse-crossentropy": (
        lambda: ops.sparse_categorical_crossentropy([0], A),
        ShapeError,
        r"without axis -1, \(3,\)",
    ),
    "average": (lambda: ops.average(C, weights=A), ArgumentError, "weights must have the shape of x"),
    "average-axis": (lambda: ops.average(A, weights=[1, 2]), ArgumentError, "need the axis"),
    "linspace": (lambda: ops.linspace(0, 1, -1), ArgumentError, "num must be an integer from 0 on"),
    "meshgrid": (lambda: ops.meshgrid(A[0], indexing="yx"), ArgumentError, "indexing must be"),
    "window": (lambda: ops.hamming(2.5), ArgumentError, "must be an integer"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_wrong_arguments_are_explained(name: str) -> None:
    function, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        function()


TRACED_ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "mask": (lambda x: x[x > 0], "how many elements a mask keeps depends on the data"),
    "where": (lambda x: ops.where(x > 0), "depends on the data"),
    "slice-bound": (lambda x: x[: ops.argmax(x)], "a slice bound must be known when the model is built"),
    "arange": (lambda x: ops.arange(ops.max(x)), "must be known when a model is built"),
    "numpy": (lambda x: np.sin(ops.convert_to_numpy(x)), "has no numbers yet"),
    "if": (lambda x: 1 if ops.any(x > 0) else 2, "has no truth value"),
    "diagonal": (ops.diagonal, "must have a length known when the model is built; it is 'a0'"),
}


@pytest.mark.parametrize("name", TRACED_ERRORS)
def test_what_needs_data_is_explained(name: str) -> None:
    function, message = TRACED_ERRORS[name]
    with pytest.raises((ArgumentError, ShapeError, TypeError), match=message):
        run_named(function, ROWS)


def test_softmax_over_one_element_warns() -> None:
    with pytest.warns(UserWarning, match="always gives 1"):
        ops.softmax(ROWS[:, :1])
