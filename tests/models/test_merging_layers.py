"""Merging layers and EinsumDense: mistakes told when built, in messages that name the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.layers.einsum_dense import einsum_shapes


def shaped(*shape: int | None) -> Any:
    return graphc.Input(shape)


@pytest.mark.parametrize(
    ("connect", "told"),
    [
        (
            lambda: layers.Add(name="sum")([shaped(4), shaped(5)]),
            r"'sum': inputs have incompatible shapes.*\(4,\) and \(5,\)",
        ),
        (lambda: layers.Add(name="sum")([shaped(1, 4), shaped(3, 4), shaped(2, 4)]), r"'sum'.*\(3, 4\) and \(2, 4\)"),
        (lambda: layers.Add(name="sum")(shaped(4)), "'sum': a merge layer should be called on a list of inputs"),
        (lambda: layers.Add(name="sum")([]), "'sum'.*at least 1 input"),
        (lambda: layers.Maximum(name="top")([np.ones((2, 3)), np.ones((3, 3))]), "'top'.*different batch sizes"),
        (lambda: layers.Subtract(name="less")([shaped(4)] * 3), "'less'.*exactly 2 inputs"),
        (lambda: layers.Concatenate(name="cat")([shaped(4, 3), shaped(5, 3)]), "'cat'.*matching shapes"),
        (lambda: layers.Concatenate(name="cat")(shaped(4)), "'cat'.*list of at least 1 input"),
        (
            lambda: layers.Dot(axes=1, name="dot")([shaped(4), shaped(5)]),
            r"'dot': incompatible input shapes: axis values 4",
        ),
        (lambda: layers.Dot(axes=0, name="dot")([shaped(4), shaped(4)]), "'dot': axis 0 is not an axis of one sample"),
        (lambda: layers.Dot(axes=3, name="dot")([shaped(4), shaped(4)]), "'dot': axis 3"),
        (lambda: layers.Dot(axes=1, name="dot")([shaped(4)]), "'dot'.*list of 2 inputs"),
        (lambda: layers.Dot(axes=(1, 2, 3)), r"axes=\(1, 2, 3\)"),
        (
            lambda: layers.Multiply().spread_mask(np.ones((2, 4), bool), np.ones((2, 5, 3), np.float32)),
            r"the mask of an input must have its shape without the last axis, \(2, 5\); got \(2, 4\)",
        ),
        (lambda: layers.EinsumDense("ab,bc", 3, name="sums")(shaped(4)), "'sums': Invalid einsum equation 'ab,bc'"),
        (lambda: layers.EinsumDense("abc,cd->abd", 3, name="sums")(shaped(5, 4)), "'sums'.*`output_shape`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3, name="sums")(shaped(5, 4)), "'sums'.*have 2 axes"),
        (lambda: layers.EinsumDense("abc,cd->abd", (6, 3), name="sums")(shaped(5, 4)), "'sums'.*shared dimension 'b'"),
        (
            lambda: layers.EinsumDense("abc,cd->abd", (None, None), name="sums")(shaped(5, 4)),
            "'sums': the kernel.*None",
        ),
        (
            lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="e", name="s")(shaped(5, 4)),
            "Bias dimension 'e'",
        ),
        (lambda: layers.EinsumDense("abc,ce->abd", (None, 3), name="sums")(shaped(5, 4)), "'sums'.*Dimension 'd'"),
        (lambda: layers.EinsumDense("ab,bc->ac", -3), "positive integers"),
    ],
)
def test_mistakes(connect: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        connect()


@pytest.mark.parametrize(
    ("equation", "bias_axes", "inputs", "output", "kernel", "bias", "full"),
    [
        ("ab,bc->ac", "c", (None, 4), (3,), (4, 3), (3,), (None, 3)),
        ("abc,cd->abd", "d", (None, 5, 4), (None, 3), (4, 3), (3,), (None, 5, 3)),
        ("abc,cd->abd", "bd", (None, 5, 4), (None, 3), (4, 3), (5, 3), (None, 5, 3)),
        ("abc,cde->abde", "d", (None, None, 4), (None, 2, 3), (4, 2, 3), (2, 1), (None, None, 2, 3)),
        ("...x,xy->...y", "y", (None, 7, 9, 4), (3,), (4, 3), (3,), (None, 7, 9, 3)),
        ("ab...,bc->ac...", "c", (None, 7, 9, 4), (3,), (7, 3), (3, 1, 1), (None, 3, 9, 4)),
        ("abc,bcd->ad", None, (None, 5, 4), (3,), (5, 4, 3), None, (None, 3)),
    ],
)
def test_shapes_of_einsum_dense(
    equation: str, bias_axes: str | None, inputs: Any, output: Any, kernel: Any, bias: Any, full: Any
) -> None:
    shapes = einsum_shapes(equation, bias_axes, inputs, output)
    assert (shapes.kernel, shapes.bias, shapes.output) == (kernel, bias, full)
    layer = layers.EinsumDense(equation, output, bias_axes=bias_axes)
    assert layer.compute_output_shape(inputs) == full
    assert not layer.built
    assert layer(graphc.Input(inputs[1:])).shape == full


def test_einsum_dense_tells_its_initializer_what_is_input() -> None:
    layer = layers.EinsumDense("abc,cde->abde", (None, 50, 2), kernel_initializer="glorot_uniform")
    layer(graphc.Input((3, 40)))
    limit = np.sqrt(6 / (40 + 100))  # by the last two axes alone it would be sqrt(6 / (40 * 52))
    assert 0.97 * limit < np.abs(layer.kernel.numpy()).max() <= limit
