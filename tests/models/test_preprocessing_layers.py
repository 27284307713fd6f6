"""Preprocessing layers beyond their parity cases: `adapt`, single images, models around them, refusals.

The numbers of `adapt` are those of Keras 3.15.1 on TensorFlow, for the same data.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc
from graphc.errors import ArgumentError, DataError, DTypeError, NotBuiltError, ShapeError
from graphc.ops.functional.masks import get_mask, set_mask

layers = graphc.layers
Array = np.ndarray[Any, Any]


def data(*shape: int, seed: int = 0) -> Array:
    """Numbers from -1 to 4, from a stream that NumPy promises never to change."""
    return (np.random.RandomState(seed).random_sample(shape) * 5 - 1).astype(np.float32)


def images(*shape: int, dtype: str = "float32") -> Array:
    return np.random.RandomState(3).randint(0, 256, shape).astype(dtype)


# -- Normalization.adapt ----------------------------------------------------------------------------------------------

ADAPTED: dict[str, tuple[Any, Any, list[float], list[float]]] = {
    "array": (-1, data(50, 3), [1.4074891, 1.4715805, 1.7751448], [1.8562245, 2.0479903, 1.8850951]),
    "two axes": (
        (1, 2),
        data(40, 2, 3),
        [1.4118478, 1.5451669, 1.7949636, 1.3909905, 1.3261900, 1.4039840],
        [2.1198044, 2.1257524, 1.8051720, 2.0387034, 1.8301885, 1.9852254],
    ),
    "no axis": (None, data(40, 2, 3), [1.4788569], [2.0083818]),
    "batches": (
        -1,
        [data(7, 3), data(11, 3, seed=1), data(2, 3, seed=2)],
        [1.1652911, 1.5021979, 1.6695368],
        [1.6491970, 2.2755752, 2.6497064],
    ),
    "batches with targets": (
        1,
        [(data(7, 4, 3), np.zeros(7)), (data(11, 4, 3, seed=1), np.zeros(11))],
        [1.2820020, 1.3222076, 1.6326277, 1.5570669],
        [2.6134706, 2.0974255, 2.3437169, 1.7907903],
    ),
}


@pytest.mark.parametrize("name", ADAPTED)
def test_adapt_finds_keras_s_statistics(name: str) -> None:
    axis, given, mean, variance = ADAPTED[name]
    layer = layers.Normalization(axis=axis)
    layer.adapt(given)
    np.testing.assert_allclose(layer.get_weights()[0].reshape(-1), mean, rtol=1e-6)
    np.testing.assert_allclose(layer.get_weights()[1].reshape(-1), variance, rtol=1e-6)
    assert [w.name for w in layer.weights] == ["mean", "variance", "count"]
    assert layer.weights[2].dtype == "int32"
    assert layer.get_weights()[2] == 0
    assert not layer.trainable_weights


def test_adapted_data_has_mean_0_and_variance_1() -> None:
    layer = layers.Normalization(axis=1)
    x = data(20, 3, 4)
    layer.adapt(iter([x[:7], x[7:]]))
    y = layer(x)
    np.testing.assert_allclose(y.mean(axis=(0, 2)), np.zeros(3), atol=1e-6)
    np.testing.assert_allclose(y.var(axis=(0, 2)), np.ones(3), rtol=1e-5)
    assert layer.mean.shape == layer.variance.shape == (1, 3, 1)
    back = layers.Normalization(axis=1, mean=layer.mean.reshape(-1), variance=layer.variance.reshape(-1), invert=True)
    np.testing.assert_allclose(back(y), x, rtol=1e-5, atol=1e-6)


def test_adapting_again_forgets_and_reaches_models() -> None:
    layer = layers.Normalization()
    inputs = graphc.Input((3,))
    model = graphc.Model(inputs, layer(inputs))
    x = data(6, 3)
    np.testing.assert_array_equal(model(x), x)  # mean 0 and variance 1 before
    for seed in (1, 2):
        seen = data(30, 3, seed=seed)
        layer.adapt(seen)
        wanted = (x - seen.mean(axis=0)) / seen.std(axis=0)
        np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5, atol=1e-6)


def test_statistics_travel_with_weights_and_onnx(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")

    def make() -> Any:
        inputs = graphc.Input((3,), name="x")
        return graphc.Model(inputs, layers.Dense(2)(layers.Normalization(name="norm")(inputs)))

    model, x = make(), data(5, 3, seed=4)
    model.get_layer("norm").adapt(data(40, 3))
    model.save_weights(tmp_path / "m.weights.h5")
    again = make()
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(again(x), model(x))
    model.export(tmp_path / "m.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": x})[0], model(x), rtol=1e-5, atol=1e-6)


def test_a_layer_is_built_from_what_it_was_built_for() -> None:
    layer = layers.Normalization()
    layer.adapt(data(50, 3))
    assert layer.get_build_config() == {"input_shape": (50, 3)}
    again = layers.Normalization.from_config(layer.get_config())
    again.build_from_config(layer.get_build_config())
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(data(4, 3, seed=1)), layer(data(4, 3, seed=1)))


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: layers.Normalization(mean=1.0), ArgumentError, "both `mean` and `variance` must be set"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), ArgumentError, "must have the same shape"),
        (lambda: layers.Normalization(None, [1.0], [2.0]), ArgumentError, "rank of `mean` must be at most"),
        (lambda: layers.Normalization(axis=3)(data(2, 3)), ShapeError, r"range \[-ndim, ndim\).*ndim=2"),
        (lambda: layers.Normalization(axis=1)(graphc.Input((None, 4))), ShapeError, "known length.*index 1"),
        (lambda: layers.Normalization(mean=[1, 2], variance=[1, 2])(data(2, 3)), ShapeError, "does not fit axis"),
        (lambda: layers.Normalization(mean=1, variance=1).adapt(data(2, 3)), ArgumentError, "was given its `mean`"),
        (lambda: layers.Normalization().adapt([]), DataError, "no data"),
        (lambda: layers.Normalization().adapt(data(0, 3)), DataError, "no data"),
        (lambda: layers.Normalization().adapt(5), DTypeError, "got int"),
        (lambda: layers.Normalization().adapt([[1.0, 2.0]]), DTypeError, "element of type list"),
        (lambda: layers.Normalization().adapt(np.array(["a"])), DTypeError, "array of dtype"),
        (lambda: layers.Normalization().adapt([data(2, 3), data(2, 4)]), ShapeError, r"data.shape=\(2, 4\)"),
    ],
)
def test_normalization_refuses(act: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


# -- Discretization.adapt ---------------------------------------------------------------------------------------------

BOUNDARIES: list[tuple[int, float, Any, dict[str, int], list[float]]] = [
    (4, 0.01, data(500), {}, [0.2303152084350586, 1.428135871887207, 2.6535451412200928]),
    (3, 0.1, data(50, 3), {}, [0.7778692841529846, 2.246114730834961]),
    (5, 0.01, data(37), {}, [0.5605497360229492, 1.6374280452728271, 2.1104629039764404, 2.9809257984161377]),
    (1, 0.01, data(20), {}, []),
    (2, 0.3, data(9), {}, [1.7252066135406494]),
    (4, 0.01, data(3), {}, [1.7440675497055054, 2.0138168334960938]),
    (4, 0.02, [data(60), data(45, seed=1), data(33, seed=2)], {},
     [0.06136546656489372, 1.3418983221054077, 2.4308016300201416]),
    (4, 0.02, [data(60), data(45, seed=1), data(33, seed=2)], {"steps": 2},
     [0.14983929693698883, 1.6316279172897339, 2.6379692554473877]),
]  # fmt: skip


@pytest.mark.parametrize(("bins", "epsilon", "given", "options", "boundaries"), BOUNDARIES)
def test_adapt_finds_keras_s_boundaries(
    bins: int, epsilon: float, given: Any, options: dict[str, int], boundaries: list[float]
) -> None:
    layer = layers.Discretization(num_bins=bins, epsilon=epsilon)
    layer.adapt(given, **options)
    np.testing.assert_allclose(layer.bin_boundaries, boundaries, rtol=1e-6)


def test_an_adapted_discretization_travels_in_its_config() -> None:
    layer = layers.Discretization(num_bins=4, output_mode="one_hot", name="bins")
    layer.adapt(data(100))
    again = layers.Discretization.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.num_bins == 4
    np.testing.assert_array_equal(again(data(6, 2, seed=1)), layer(data(6, 2, seed=1)))
    counts = layer(data(100)[:, None]).sum(axis=0)
    assert counts.tolist() == [24, 25, 25, 26]  # an element on a boundary is in the bin above
    layer.adapt(data(100) + 10)
    assert min(layer.bin_boundaries) > 9


def test_bins_are_numpy_s() -> None:
    x = np.array([-np.inf, -1.0, -0.5, 0.0, 0.25, 2.0, 7.0, np.inf, np.nan], np.float32)
    for bins in ([-1.0, 0.0, 2.0], [2.0, 0.0, -1.0], [0.0], [0.0, 0.0, 1.0]):
        found = layers.Discretization(bins)(x)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found[:-1], np.digitize(x[:-1], bins))
    assert layers.Discretization([-1.0, 0.0, 2.0])(x)[-1] == np.digitize(np.nan, [-1.0, 0.0, 2.0]) == 3


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (layers.Discretization, ArgumentError, "either `num_bins` or `bin_boundaries`"),
        (lambda: layers.Discretization([1.0], 2), ArgumentError, "should not be set"),
        (lambda: layers.Discretization(num_bins=-1), ArgumentError, "greater than or equal to 0"),
        (lambda: layers.Discretization([1.0], output_mode="hot"), ArgumentError, "output_mode='hot'"),
        (lambda: layers.Discretization([1.0], sparse=True), ArgumentError, "sparse"),
        (lambda: layers.Discretization([1.0, 3.0, 2.0]), ArgumentError, "rising or falling"),
        (lambda: layers.Discretization([1.0]).adapt(data(3)), ArgumentError, "Cannot adapt layer"),
        (lambda: layers.Discretization(num_bins=2).adapt(data(0)), DataError, "no data"),
        (lambda: layers.Discretization(num_bins=2)(data(3)), NotBuiltError, "no boundaries yet"),
    ],
)
def test_discretization_refuses(act: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


# -- CategoryEncoding -------------------------------------------------------------------------------------------------


def test_categories_of_single_samples() -> None:
    np.testing.assert_array_equal(layers.CategoryEncoding(4)([0, 2, 2]), [1, 0, 1, 0])
    np.testing.assert_array_equal(layers.CategoryEncoding(4, "count")(np.array([0, 2, 2])), [1, 0, 2, 0])
    np.testing.assert_array_equal(layers.CategoryEncoding(3, "one_hot")(np.array(1)), [[0, 1, 0]])
    weighted = layers.CategoryEncoding(3, "count")(np.array([[0, 1, 1]]), count_weights=np.array([[0.5, 1.0, 2.0]]))
    np.testing.assert_array_equal(weighted, [[0.5, 3.0, 0.0]])
    assert weighted.dtype == np.float32
    assert layers.CategoryEncoding(3, dtype="float16")(np.array([1])).dtype == np.float16
    assert layers.CategoryEncoding(3, "binary").get_config()["output_mode"] == "multi_hot"


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (layers.CategoryEncoding, "`num_tokens` must be set"),
        (lambda: layers.CategoryEncoding(0), "num_tokens=0"),
        (lambda: layers.CategoryEncoding(3, "hot"), "output_mode: 'hot'"),
        (lambda: layers.CategoryEncoding(3, sparse=True), "sparse"),
        (lambda: layers.CategoryEncoding(3)(np.array([1]), count_weights=np.array([1.0])), "`count_weights` of layer"),
    ],
)
def test_category_encoding_refuses(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        act()


# -- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        layers.Resizing(4, 5),
        layers.Resizing(9, 4, "nearest"),
        layers.Resizing(4, 5, crop_to_aspect_ratio=True),
        layers.Resizing(4, 5, pad_to_aspect_ratio=True, fill_value=3),
        layers.CenterCrop(4, 5),
        layers.CenterCrop(9, 5),
    ],
)
def test_one_image_is_a_batch_of_one(layer: Any) -> None:
    x = images(7, 6, 3)
    np.testing.assert_array_equal(layer(x), layer(x[None])[0])


def test_integers_are_rounded_and_held_in_range() -> None:
    x = np.array([0, 255, 0, 255], np.uint8).reshape(1, 1, 4, 1)
    sharp = layers.Resizing(1, 13, "bicubic")
    found, exact = sharp(x), sharp(x.astype(np.float32))
    assert found.dtype == np.uint8
    assert exact.min() < 0  # the filter overshoots
    assert exact.max() > 255
    np.testing.assert_array_equal(found, np.clip(np.round(exact), 0, 255))


def test_masks_of_classes_do_not_mix_and_labels_stay() -> None:
    x, classes, labels = images(2, 6, 8, 3), images(2, 6, 8, 1, dtype="int32"), np.array([1, 2])
    found = layers.Resizing(4, 5)({"images": x, "segmentation_masks": classes, "labels": labels})
    np.testing.assert_array_equal(found["images"], layers.Resizing(4, 5)(x))
    np.testing.assert_array_equal(found["segmentation_masks"], layers.Resizing(4, 5, "nearest")(classes))
    assert found["labels"] is labels
    with pytest.raises(ArgumentError, match="'bounding_boxes'"):
        layers.CenterCrop(4, 5)({"images": x, "bounding_boxes": None})


@pytest.mark.parametrize(
    "make", [lambda: layers.CenterCrop(5, 6), lambda: layers.Resizing(5, 6, pad_to_aspect_ratio=True)]
)
def test_images_of_every_size_go_through_one_model(make: Callable[[], Any], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    inputs = graphc.Input((None, None, 2), name="x")
    model = graphc.Model(inputs, make()(inputs))
    model.export(tmp_path / "m.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for height, width in ((7, 9), (5, 6), (6, 3), (3, 11), (2, 2), (5, 7)):
        x = images(2, height, width, 2)
        wanted = make()(x)
        np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(session.run(None, {"x": x})[0], wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: layers.Resizing(0, 5), ArgumentError, "`height` of Resizing must be a positive integer"),
        (lambda: layers.CenterCrop(4, 2.5), ArgumentError, "`width` of CenterCrop"),
        (lambda: layers.Resizing(4, 5, "area"), ArgumentError, "interpolation='area'"),
        (lambda: layers.Resizing(4, 5, fill_mode="reflect"), ArgumentError, "fill_mode='reflect'"),
        (lambda: layers.Resizing(4, 5, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ArgumentError, "Only one"),
        (lambda: layers.Resizing(4, 5)(images(7, 6)), ShapeError, "expected rank 3"),
        (lambda: layers.CenterCrop(4, 5)(graphc.Input((7,))), ShapeError, "expected rank 3"),
        (lambda: layers.Rescaling("a"), ArgumentError, "`scale` of Rescaling"),
        (lambda: layers.Rescaling(1.0, [None]), ArgumentError, "`offset` of Rescaling"),
    ],
)
def test_image_layers_refuse(act: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


def test_rescaling_by_arrays_travels_as_plain_data() -> None:
    layer = layers.Rescaling(np.array([0.5, 2.0]), offset=[1, -1])
    config = layer.get_config()
    assert config["scale"] == {"class_name": "__numpy__", "config": {"value": [0.5, 2.0], "dtype": "float64"}}
    assert config["offset"] == [1, -1]
    again = layers.Rescaling.from_config(config)
    np.testing.assert_array_equal(again(images(3, 2)), layer(images(3, 2)))
    np.testing.assert_array_equal(layer(np.array([[4, 4]], np.uint8)), np.array([[3, 7]], np.float32))


# -- masks ------------------------------------------------------------------------------------------------------------


def test_layers_that_keep_time_keep_its_mask() -> None:
    mask = np.array([[True, True, False]])
    for layer in (layers.Rescaling(2.0), layers.Normalization(mean=0.5, variance=2.0)):
        x = data(1, 3, 4)
        set_mask(x, mask)
        np.testing.assert_array_equal(get_mask(layer(x)), mask)
