"""Weights for the image models: downloaded and checked, from files in each layout, refused where they do not fit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from applications.image_models import seeded_images, seeded_weights, weight_shapes
from local_server import LocalServer

from graphc import applications
from graphc.applications import mobilenet_v2, pretrained, resnet, vgg16, vgg19
from graphc.download import DownloadError
from graphc.errors import ModelFileError

SMALL: dict[str, Any] = {"include_top": False, "alpha": 0.35, "input_shape": (96, 96, 3)}


def write_old_layout(model: Any, path: Path) -> bytes:
    """A file as Keras 2 wrote the published ones: root attributes, weights called ``layer/name:0``, trainable first."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name.encode() for layer in model.layers])
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.1.4"
        for layer in model.layers:
            group = file.create_group(layer.name)
            weights = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{layer.name}/{weight.name}:0" for weight in weights]
            group.attrs["weight_names"] = np.array([name.encode() for name in names]) if names else np.zeros(0)
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name, data=weight.numpy())
    return path.read_bytes()


def seeded(model: Any) -> Any:
    model.set_weights(seeded_weights(weight_shapes(model)))
    return model


def assert_seeded(model: Any) -> None:
    for weight, value in zip(model.weights, seeded_weights(weight_shapes(model)), strict=True):
        np.testing.assert_array_equal(weight.numpy(), value, err_msg=weight.path)


class TestImagenet:
    def test_downloaded_once(
        self, server: LocalServer, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
        data = write_old_layout(seeded(applications.MobileNetV2(weights=None, **SMALL)), tmp_path / "x.h5")
        server.serve(f"mobilenet_v2/{name}", data)
        monkeypatch.setattr(pretrained, "FOLDER", f"{server.url}/")
        first = applications.MobileNetV2(**SMALL)
        assert_seeded(first)
        assert (cache / "models" / name).read_bytes() == data
        images = seeded_images((96, 96, 3))
        again = applications.MobileNetV2(weights="imagenet", **SMALL)
        np.testing.assert_array_equal(first.predict(images, verbose=0), again.predict(images, verbose=0))
        assert server.requests == [f"/mobilenet_v2/{name}"]

    def test_sizes_without_weights_of_their_own(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pretrained, "FOLDER", f"{server.url}/")
        with pytest.warns(UserWarning, match=r"those of \(224, 224\) are loaded"), pytest.raises(DownloadError):
            applications.MobileNetV2(include_top=False, input_shape=(100, 96, 3))
        assert server.requests == ["/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"]

    def test_hash_is_checked(
        self, server: LocalServer, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments: dict[str, Any] = {"include_top": False, "input_shape": (32, 33, 3)}
        data = write_old_layout(seeded(applications.ResNet50(weights=None, **arguments)), tmp_path / "x.h5")
        published = resnet._PUBLISHED[1]
        monkeypatch.setattr(pretrained, "FOLDER", f"{server.url}/")
        server.serve(f"{published.folder}/{published.name}", data)
        with pytest.raises(DownloadError, match=f"not {published.hash}"):  # it is not the real file
            applications.ResNet50(**arguments)
        assert [path for path in cache.rglob("*") if path.is_file()] == []
        right = replace(published, hash=hashlib.md5(data).hexdigest())
        monkeypatch.setattr(resnet, "_PUBLISHED", (resnet._PUBLISHED[0], right))
        assert_seeded(applications.ResNet50(**arguments))

    def test_offline(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pretrained, "FOLDER", "http://127.0.0.1:9/")
        with pytest.raises(DownloadError) as caught:
            applications.VGG16(include_top=False)
        message, name = str(caught.value), "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
        assert f"http://127.0.0.1:9/vgg16/{name}" in message and f"save it as {cache / 'models' / name}" in message
        assert "\n" not in message

    def test_names_are_the_published_ones(self) -> None:
        for module, folder in ((vgg16, "vgg16"), (vgg19, "vgg19"), (resnet, "resnet")):
            for published, end in zip(module._PUBLISHED, ("kernels.h5", "kernels_notop.h5"), strict=True):
                assert published.folder == folder
                assert published.name.endswith(f"_weights_tf_dim_ordering_tf_{end}")
                assert published.hash is not None and len(published.hash) == 32
        assert mobilenet_v2._published(1.0, 224, True).name == (
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
        )
        assert pretrained.FOLDER == "https://storage.googleapis.com/tensorflow/keras-applications/"


@pytest.mark.parametrize("ending", [".h5", ".hdf5", ".weights.h5"])
@pytest.mark.parametrize("form", [str, Path])
def test_own_file(tmp_path: Path, ending: str, form: Any) -> None:
    path = tmp_path / f"own{ending}"
    source = seeded(applications.MobileNetV2(weights=None, **SMALL))
    if ending == ".weights.h5":
        source.save_weights(path)
    else:
        write_old_layout(source, path)
    assert_seeded(applications.MobileNetV2(weights=form(path), **SMALL))


def test_file_with_another_top(tmp_path: Path) -> None:
    path = tmp_path / "own.h5"
    arguments: dict[str, Any] = {"alpha": 0.35, "input_shape": (96, 96, 3)}
    write_old_layout(applications.MobileNetV2(weights=None, classes=4, **arguments), path)
    with pytest.raises(
        ModelFileError, match=r"'predictions/kernel' has shape \(1280, 3\) in the model and \(1280, 4\)"
    ):
        applications.MobileNetV2(weights=path, classes=3, **arguments)
    with pytest.raises(ModelFileError, match="`include_top` counts"):
        applications.MobileNetV2(weights=path, include_top=False, **arguments)
