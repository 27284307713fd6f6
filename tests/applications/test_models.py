"""The image models are Keras's: the configuration to the letter, the weights in its order, the numbers within 1e-4."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest
from applications.image_models import CASES, FIXTURES, ModelCase, outputs_of, seeded_images

import graphc
from graphc.errors import ArgumentError, ModelFileError
from graphc.naming import clear_session


def facts_of(case: ModelCase) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((FIXTURES / f"{case.name}.json.gz").read_bytes()))
    return found


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=[pytest.mark.slow] * case.slow) for case in CASES]
)
def test_same_as_keras(case: ModelCase) -> None:
    clear_session()
    model = case.build(graphc)
    facts = facts_of(case)
    assert [[w.path, list(w.shape)] for w in model.weights] == facts["weights"]
    assert model.count_params() == facts["count"]
    found, expected = json.loads(model.to_json()), json.loads(facts["json"])
    assert [layer["name"] for layer in found["config"]["layers"]] == [x["name"] for x in expected["config"]["layers"]]
    for one, other in zip(found["config"]["layers"], expected["config"]["layers"], strict=True):
        assert one == other
    assert model.to_json() == facts["json"]


@pytest.mark.parametrize("case", [case for case in CASES if case.images], ids=lambda case: case.name)
def test_same_numbers(case: ModelCase) -> None:
    assert case.images is not None
    with np.load(FIXTURES / "outputs.npz") as archive:
        expected = archive[case.name]
    found = outputs_of(case.build(graphc), seeded_images(case.images), lambda model, x: model.predict(x, verbose=0))
    assert np.std(expected) > 0.01  # not all the same
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))


def test_names_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphc.applications, "VGG19", "another")
    assert graphc.applications.VGG19 == "another"
    for name, model in (
        ("vgg16", "VGG16"),
        ("vgg19", "VGG19"),
        ("resnet50", "ResNet50"),
        ("mobilenet_v2", "MobileNetV2"),
    ):
        module = getattr(graphc.applications, name)
        assert callable(getattr(module, model)) and callable(module.preprocess_input)
        assert callable(module.decode_predictions)


class TestInputTensor:
    def test_starts_where_it_comes_from(self) -> None:
        inputs = graphc.Input((32, 36, 3), name="pictures")
        x = graphc.applications.mobilenet_v2.preprocess_input(inputs)
        model = graphc.applications.MobileNetV2(
            include_top=False, weights=None, input_tensor=x, alpha=0.35, pooling="max"
        )
        assert model.inputs == [inputs]
        assert model.output_shape == (None, 1280)
        pixels = np.random.RandomState(0).randint(0, 256, (2, 32, 36, 3)).astype(np.float32)
        core = graphc.Model(x, model.output)
        prepared = graphc.applications.mobilenet_v2.preprocess_input(pixels)
        np.testing.assert_allclose(model.predict(pixels, verbose=0), core.predict(prepared, verbose=0), rtol=1e-5)

    def test_something_else(self) -> None:
        with pytest.raises(ArgumentError, match="`input_tensor` must be a symbolic tensor"):
            graphc.applications.VGG16(weights=None, input_tensor=np.zeros((1, 32, 32, 3)))

    def test_shape_of_another(self) -> None:
        with pytest.raises(ArgumentError, match="do not agree"):
            graphc.applications.MobileNetV2(
                weights=None, input_tensor=graphc.Input((64, 64, 3)), input_shape=(96, 96, 3)
            )


MODELS = ("VGG16", "VGG19", "ResNet50", "MobileNetV2")


@pytest.mark.parametrize("name", MODELS)
class TestArguments:
    def refused(self, name: str, match: str, error: type[Exception] = ArgumentError, **arguments: Any) -> None:
        with pytest.raises(error, match=match) as caught:
            getattr(graphc.applications, name)(**arguments)
        assert "\n" not in str(caught.value)

    def test_weights(self, name: str) -> None:
        self.refused(name, "there is no file 'imagnet'", weights="imagnet")
        self.refused(name, "there is no file '/no/such.h5'", weights="/no/such.h5")
        self.refused(name, "there is no file 3", weights=3)

    def test_imagenet(self, name: str) -> None:
        self.refused(name, "1000 classes; got classes=10", classes=10)
        self.refused(name, r"must be \(224, 224, 3\); got \(64, 65, 3\)", input_shape=(64, 65, 3))
        self.refused(name, "3 channels", input_shape=(64, 64, 1), include_top=False)
        self.refused(name, "must be 'softmax' or None; got 'relu'", classifier_activation="relu")

    def test_shapes(self, name: str) -> None:
        self.refused(name, r"at least 32x32; got input_shape=\(31, 40, 3\)", weights=None, input_shape=(31, 40, 3))
        self.refused(name, "at least 32x32", weights=None, input_shape=(None, 20, 3), include_top=False)
        self.refused(name, r"must be \(height, width, channels\)", weights=None, input_shape=(32, 32))
        self.refused(name, "must be fixed", weights=None, input_shape=(None, None, 3))

    def test_pooling(self, name: str) -> None:
        self.refused(name, "'avg' or 'max'; got pooling='mean'", weights=None, include_top=False, pooling="mean")

    def test_channels(self, name: str) -> None:
        with pytest.warns(UserWarning, match=r"1 or 3 channels; got input_shape=\(32, 32, 2\)") as caught:
            getattr(graphc.applications, name)(weights=None, include_top=False, input_shape=(32, 32, 2))
        assert caught[0].filename == __file__


def test_alpha() -> None:
    for alpha in (0, -1.0, "1.0", True):
        with pytest.raises(ArgumentError, match="`alpha` must be a positive number"):
            graphc.applications.MobileNetV2(weights=None, alpha=alpha)
    with pytest.raises(ArgumentError, match="alpha in"):
        graphc.applications.MobileNetV2(alpha=0.4)


def test_file_of_another_model() -> None:
    with pytest.raises(ModelFileError, match=r"small_old.h5 has weights of 4 layers, and model 'vgg16' has 13 layers"):
        graphc.applications.VGG16(weights=str(FIXTURES / "small_old.h5"), include_top=False)
