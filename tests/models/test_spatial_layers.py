"""Convolution, pooling and reshaping layers beyond their parity cases: refusals, masks, sizes, single ops in ONNX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc
from graphc.errors import ArgumentError, ShapeError
from graphc.ops.functional.masks import set_mask

layers = graphc.layers
IMAGE = (7, 9, 4)

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # convolution
    (lambda: layers.Conv1D(0, 3), ArgumentError, "`filters`. Expected a strictly positive value. Received filters=0"),
    (lambda: layers.Conv2D(2.5, 3), ArgumentError, "Received filters=2.5"),
    (lambda: layers.Conv3D(4, (3, 3)), ArgumentError, r"`kernel_size` argument must be a tuple of 3 integers"),
    (lambda: layers.Conv2D(4, (3, 0)), ArgumentError, r"including values \[0\] that do not satisfy `value > 0`"),
    (lambda: layers.Conv2D(4, 3, padding="causal"), ArgumentError, "`padding` argument must be one of valid, same"),
    (lambda: layers.Conv2D(4, 3, padding=1), ArgumentError, "Received: 1"),
    (lambda: layers.Conv1D(4, 3, data_format="last"), ArgumentError, "data_format='last'"),
    (lambda: layers.Conv2D(4, 3, 2, dilation_rate=2), ArgumentError, "not supported in conjunction"),
    (lambda: layers.Conv2DTranspose(4, 3, 2, dilation_rate=2), ArgumentError, "not supported in conjunction"),
    (lambda: layers.Conv2D(4, 3, groups=0), ArgumentError, "number of groups must be a positive integer"),
    (lambda: layers.Conv2D(3, 3, groups=2), ArgumentError, "filters must be evenly divisible.*groups=2, filters=3"),
    (lambda: layers.Conv2D(6, 3, groups=3)(graphc.Input(IMAGE)), ArgumentError, "input channels must be evenly"),
    (lambda: layers.Conv2D(4, 3)(graphc.Input((7, 4))), ShapeError, "min_ndim=4, found ndim=3"),
    (lambda: layers.Conv1D(4, 3)(graphc.Input(IMAGE)), ShapeError, "must have rank 3"),
    (lambda: layers.Conv2D(4, 3)(graphc.Input((7, 9, None))), ShapeError, "channel axis.*fixed length"),
    (lambda: layers.Conv2D(4, 8)(graphc.Input(IMAGE)), ShapeError, "zero or negative. Layer 'conv2d.*(None, 7, 9, 4)"),
    (lambda: layers.Conv1D(4, 3, dilation_rate=4)(graphc.Input((8, 2))), ShapeError, "zero or negative"),
    (lambda: layers.Conv2DTranspose(4, 3, 2, output_padding=2), ArgumentError, "strictly less than `strides`"),
    (lambda: layers.Conv2DTranspose(4, 3, output_padding=-1), ArgumentError, "`value >= 0`"),
    (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ArgumentError, "depth_multiplier=0"),
    (lambda: layers.DepthwiseConv2D(8)(graphc.Input(IMAGE)), ShapeError, "zero or negative"),
    (lambda: layers.SeparableConv1D(-1, 3), ArgumentError, "filters=-1"),
    (lambda: layers.SeparableConv2D(2, 3, depth_multiplier=-2), ArgumentError, "depth_multiplier=-2"),
    (lambda: layers.Conv2D(4, 3, foo=1), ArgumentError, "Unrecognized keyword arguments passed to Conv2D"),
    # pooling
    (lambda: layers.MaxPooling2D(0), ArgumentError, "`pool_size`"),
    (lambda: layers.AveragePooling1D(2, strides=0), ArgumentError, "`strides`"),
    (lambda: layers.MaxPooling3D(2, padding="full"), ArgumentError, "Received: 'full'"),
    (lambda: layers.MaxPooling2D(8)(graphc.Input(IMAGE)), ShapeError, "zero or negative. Layer 'max_pooling2d"),
    (lambda: layers.MaxPooling1D()(graphc.Input(IMAGE)), ShapeError, "expected ndim=3, found ndim=4"),
    (lambda: layers.GlobalMaxPooling3D()(graphc.Input(IMAGE)), ShapeError, "expected ndim=5, found ndim=4"),
    (lambda: layers.AdaptiveMaxPooling2D("a"), ArgumentError, "integer or a tuple of 2"),
    (lambda: layers.AdaptiveAveragePooling3D((1, 2)), ArgumentError, "integer or a tuple of 3"),
    (lambda: layers.AdaptiveMaxPooling1D(0), ArgumentError, "positive integers"),
    (lambda: layers.AdaptiveMaxPooling2D(2)(graphc.Input((7, 4))), ShapeError, "expected ndim=4, found ndim=3"),
    # reshaping
    (lambda: layers.RepeatVector(2.0), ArgumentError, "integer value for `n`"),
    (lambda: layers.RepeatVector(0), ArgumentError, "n=0"),
    (lambda: layers.RepeatVector(2)(graphc.Input((3, 4))), ShapeError, "expected ndim=2"),
    (lambda: layers.UpSampling1D(True), ArgumentError, "integer value for `size`"),
    (lambda: layers.UpSampling1D(-1), ArgumentError, "size=-1"),
    (lambda: layers.UpSampling2D((2, 0)), ArgumentError, "`size` argument must be a tuple of 2 integers"),
    (lambda: layers.UpSampling2D(2, interpolation="area"), ArgumentError, "interpolation='area'"),
    (lambda: layers.UpSampling3D((2, 2)), ArgumentError, "a tuple of 3 integers"),
    (lambda: layers.ZeroPadding1D(-1), ArgumentError, "`value >= 0`"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), ArgumentError, "`padding` should have 2 elements"),
    (lambda: layers.ZeroPadding2D(1.5), ArgumentError, "`padding` should be either an int"),
    (lambda: layers.ZeroPadding3D((1, 2, (3,))), ArgumentError, "3rd entry of padding"),
    (lambda: layers.Cropping2D(-1), ArgumentError, "`cropping` cannot be negative"),
    (lambda: layers.Cropping2D(((1, 2), -3)), ArgumentError, "2nd entry of cropping"),
    (lambda: layers.Cropping2D(4)(graphc.Input(IMAGE)), ShapeError, "`cropping` argument of layer 'cropping2d"),
    (lambda: layers.Cropping1D(3)(np.zeros((2, 6, 4), np.float32)), ShapeError, r"input_shape=\(2, 6, 4\)"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "error", "message"), REFUSED)
def test_refuses(act: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


def test_aliases_are_the_classes() -> None:
    for rank in (1, 2, 3):
        for alias, name in (
            ("AvgPool{}D", "AveragePooling{}D"),
            ("Convolution{}D", "Conv{}D"),
            ("Convolution{}DTranspose", "Conv{}DTranspose"),
            ("GlobalAvgPool{}D", "GlobalAveragePooling{}D"),
            ("GlobalMaxPool{}D", "GlobalMaxPooling{}D"),
            ("MaxPool{}D", "MaxPooling{}D"),
        ):
            assert getattr(layers, alias.format(rank)) is layers.LAYERS[name.format(rank)]
    assert layers.SeparableConvolution1D is layers.SeparableConv1D
    assert layers.SeparableConvolution2D is layers.SeparableConv2D


def test_only_the_mean_over_time_takes_masks() -> None:
    takers = {"GlobalAveragePooling1D", "Normalization", "Rescaling"}
    arguments = {
        "Conv1D": (2, 3), "Conv1DTranspose": (2, 3), "DepthwiseConv1D": (3,), "SeparableConv1D": (2, 3),
        "MaxPooling1D": (), "AveragePooling1D": (), "GlobalMaxPooling1D": (), "GlobalAveragePooling1D": (),
        "AdaptiveMaxPooling1D": (2,), "AdaptiveAveragePooling1D": (2,), "RepeatVector": (2,), "Cropping1D": (),
        "UpSampling1D": (), "ZeroPadding1D": (), "Rescaling": (2,), "Normalization": (), "Resizing": (2, 2),
        "CenterCrop": (2, 2), "CategoryEncoding": (2,), "Discretization": ([1.0],),
    }  # fmt: skip
    assert {name for name, given in arguments.items() if layers.LAYERS[name](*given).supports_masking} == takers


def test_masked_steps_do_not_count_whatever_is_in_them() -> None:
    x = np.array([[[1.0], [5.0], [np.nan]], [[2.0], [np.inf], [3.0]]], np.float32)
    set_mask(x, np.array([[True, True, False], [True, False, True]]))
    np.testing.assert_array_equal(layers.GlobalAveragePooling1D()(x), [[3.0], [2.5]])
    first = np.moveaxis(x, 1, 2).copy()
    mask = np.array([[True, True, False], [True, False, True]])
    found = layers.GlobalAveragePooling1D("channels_first", keepdims=True)(first, mask=mask)
    np.testing.assert_array_equal(found, [[[3.0]], [[2.5]]])


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize(("length", "size"), [(7, 7), (7, 3), (3, 7), (6, 7), (12, 7), (5, 2), (1, 4), (8, 4)])
def test_adaptive_pooling_by_its_definition(length: int, size: int, average: bool) -> None:
    """Also for results of length 7, where Keras on JAX rounds wrongly (PyTorch agrees with this)."""
    layer = (layers.AdaptiveAveragePooling1D if average else layers.AdaptiveMaxPooling1D)(size)
    x = np.random.default_rng(0).standard_normal((2, length, 3)).astype(np.float32)
    windows = [x[:, i * length // size : -((i + 1) * -length // size)] for i in range(size)]
    wanted = np.stack([w.mean(axis=1) if average else w.max(axis=1) for w in windows], axis=1)
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-6, atol=1e-6)
    inputs = graphc.Input((None, 3))
    np.testing.assert_allclose(graphc.Model(inputs, layer(inputs))(x), wanted, rtol=1e-6, atol=1e-6)


def test_adaptive_pooling_keeps_what_is_none() -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype(np.float32)
    layer = layers.AdaptiveAveragePooling2D((None, 2))
    np.testing.assert_allclose(layer(x), x.reshape(2, 5, 2, 3, 3).mean(axis=3), rtol=1e-6, atol=1e-6)
    assert layer(graphc.Input((None, 6, 3))).shape == (None, None, 2, 3)
    assert layers.AdaptiveAveragePooling2D.from_config(layer.get_config()).output_size == (None, 2)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (layers.Conv2D(3, 3, padding="same"), "Conv"),
        (layers.Conv2DTranspose(3, 3, strides=2, padding="same"), "ConvTranspose"),
        (layers.Conv2DTranspose(3, 2, strides=3), "ConvTranspose"),
        (layers.DepthwiseConv2D(3), "Conv"),
        (layers.MaxPooling2D(2), "MaxPool"),
        (layers.AveragePooling2D(2, padding="same"), "AveragePool"),
        (layers.ZeroPadding2D(1), "Pad"),
        (layers.Cropping2D(1), "Slice"),
        (layers.UpSampling2D((2, 3), interpolation="nearest"), "Resize"),
        (layers.UpSampling2D(2, interpolation="bilinear"), "Resize"),
        (layers.UpSampling2D(2, interpolation="bicubic", data_format="channels_first"), "Resize"),
    ],
)
def test_a_layer_is_one_op_in_onnx(layer: Any, op: str, dynamic: bool, tmp_path: Path) -> None:
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    first = layer.data_format == "channels_first"
    shapes = ((2, 4, 6, 8), (3, 4, 7, 5)) if first else ((2, 6, 8, 4), (3, 7, 5, 4))
    free = (4, None, None) if first else (None, None, 4)
    inputs = graphc.Input(free if dynamic else shapes[0][1:], name="x")
    again = type(layer).from_config(layer.get_config())
    model = graphc.Model(inputs, again(inputs))
    model.export(tmp_path / "m.onnx", format="onnx")
    written = Counter(node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node)
    del written["Transpose"]  # of the model's own inputs and outputs
    assert written == {op: 1}
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for shape in shapes if dynamic else shapes[:1]:
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        np.testing.assert_allclose(session.run(None, {"x": x})[0], model(x), rtol=1e-5, atol=1e-5)
