"""Pixels into the image models and class names out of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications.image_models import FIXTURES
from local_server import LocalServer

import graphc
from graphc.applications import imagenet_utils
from graphc.applications.imagenet_utils import decode_predictions, preprocess_input
from graphc.download import DownloadError
from graphc.errors import ArgumentError, DataError

KERAS: dict[str, Any] = json.loads((FIXTURES / "preprocess.json").read_text(encoding="utf-8"))


class TestPreprocessInput:
    def case(self, key: str) -> tuple[str, tuple[int, ...], str, Any]:
        mode, _, text = key.partition(" ")
        shape = tuple(json.loads(text.replace("(", "[").replace(")", "]")))
        data_format = "channels_last" if shape[-1] == 3 else "channels_first"
        return mode, shape, data_format, np.random.RandomState(3).randint(0, 256, shape)

    @pytest.mark.parametrize("key", KERAS)
    @pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
    def test_arrays(self, key: str, dtype: str) -> None:
        mode, _, data_format, pixels = self.case(key)
        given = pixels.astype(dtype)
        kept = given.copy()
        found = preprocess_input(given, data_format=data_format, mode=mode)
        assert found.dtype == (dtype if dtype == "float64" else "float32")
        np.testing.assert_allclose(found, KERAS[key], rtol=1e-6, atol=1e-5)
        np.testing.assert_array_equal(given, kept)

    @pytest.mark.parametrize("key", [key for key in KERAS if key.count(",") == 3])
    @pytest.mark.parametrize("dtype", ["float32", "uint8"])
    def test_in_a_model(self, key: str, dtype: str) -> None:
        mode, shape, data_format, pixels = self.case(key)
        inputs = graphc.Input(shape[1:], dtype=dtype)
        outputs = preprocess_input(inputs, data_format=data_format, mode=mode)
        assert outputs.shape == (None, *shape[1:])
        assert outputs.dtype == "float32"
        found = graphc.Model(inputs, outputs).predict(pixels.astype(dtype), verbose=0)
        np.testing.assert_allclose(found, KERAS[key], rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(
        ("module", "mode"), [("vgg16", "caffe"), ("vgg19", "caffe"), ("resnet50", "caffe"), ("mobilenet_v2", "tf")]
    )
    def test_of_the_models(self, module: str, mode: str) -> None:
        pixels = np.random.RandomState(3).randint(0, 256, (2, 3, 4, 5))
        found = getattr(graphc.applications, module).preprocess_input(pixels, data_format="channels_first")
        np.testing.assert_array_equal(found, preprocess_input(pixels, "channels_first", mode))

    def test_refused(self) -> None:
        with pytest.raises(ArgumentError, match="'caffe', 'tf' or 'torch'; got mode='keras'"):
            preprocess_input(np.zeros((2, 2, 3)), mode="keras")
        with pytest.raises(ArgumentError, match="data_format"):
            preprocess_input(np.zeros((2, 2, 3)), data_format="channels_middle")
        with pytest.raises(ArgumentError, match="3 or 4 axes"):
            preprocess_input(np.zeros((2, 3)))


def class_index() -> dict[str, list[str]]:
    return {str(i): [f"n{i:08}", f"name {i}"] for i in range(1000)}


class TestDecodePredictions:
    def predictions(self) -> Any:
        found = np.zeros((2, 1000), np.float32)
        found[0, [7, 991, 12]] = 0.5, 0.25, 0.125
        found[1, [0, 999]] = 0.75, 0.5
        return found

    def write(self, tmp_path: Path, text: str) -> Path:
        path = tmp_path / "classes.json"
        path.write_text(text, encoding="utf-8")
        return path

    def test_own_file(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, json.dumps(class_index()))
        found = decode_predictions(self.predictions(), top=3, class_index=path)
        assert found[0] == [
            ("n00000007", "name 7", 0.5),
            ("n00000991", "name 991", 0.25),
            ("n00000012", "name 12", 0.125),
        ]
        assert [entry[1] for entry in found[1][:2]] == ["name 0", "name 999"]
        assert isinstance(found[0][0][2], np.float32)
        assert len(decode_predictions(self.predictions(), class_index=str(path))[0]) == 5
        assert len(decode_predictions(self.predictions(), top=2000, class_index=path)[0]) == 1000

    def test_downloaded(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        url = server.serve("classes.json", json.dumps(class_index()).encode())
        monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_URL", url)
        with pytest.raises(DownloadError, match="is not the file that was expected"):
            decode_predictions(self.predictions())
        monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_HASH", None)
        for _ in range(2):
            assert decode_predictions(self.predictions(), top=1)[1] == [("n00000000", "name 0", 0.75)]
        assert len(server.requests) == 2

    @pytest.mark.parametrize("shape", [(1000,), (2, 999), (2, 1000, 1)])
    def test_shapes(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ArgumentError, match=r"of shape \(batch, 1000\); got"):
            decode_predictions(np.zeros(shape))

    @pytest.mark.parametrize("top", [0, -1, 1.5, True, None])
    def test_top(self, top: Any) -> None:
        with pytest.raises(ArgumentError, match="`top`"):
            decode_predictions(self.predictions(), top=top)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            "[" * 10**5,
            json.dumps({str(i): ["a"] for i in range(1000)}),
            json.dumps({str(i): [1, 2] for i in range(1000)}),
        ],
        ids=range(6),
    )
    def test_damaged_file(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(DataError, match="is no table of ImageNet's 1000 classes"):
            decode_predictions(self.predictions(), class_index=self.write(tmp_path, text))

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="There is no file"):
            decode_predictions(self.predictions(), class_index=tmp_path / "none.json")
