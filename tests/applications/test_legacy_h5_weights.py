"""Keras's old ``.h5`` files: those that Keras wrote are read, in order and by name, and damaged or hostile ones refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from applications.image_models import FIXTURES, seeded_weights, small_model, weight_shapes

import graphc
from graphc.errors import ModelFileError, NotBuiltError
from graphc.saving import legacy_h5_weights
from graphc.saving.legacy_h5_weights import load_legacy_weights

OLD = FIXTURES / "small_old.h5"


def expected() -> list[np.ndarray[Any, Any]]:
    return seeded_weights(weight_shapes(small_model(graphc)))


def assert_loaded(model: Any) -> None:
    for weight, value in zip(model.weights, expected(), strict=True):
        np.testing.assert_array_equal(weight.numpy(), value, err_msg=weight.path)


def changed(tmp_path: Path, change: Callable[[h5py.File], None], source: Path = OLD) -> Path:
    """A copy of a file that Keras wrote, with a change."""
    path = tmp_path / "changed.h5"
    shutil.copy(source, path)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def fixed_names(file: h5py.File) -> None:
    """Rewrite the lists of names as Keras 1 and 2 wrote them with an older h5py: strings of one length."""
    for group in (file, *file.values()):
        for key in ("layer_names", "weight_names"):
            if key in group.attrs:
                group.attrs[key] = np.array([name.encode() for name in group.attrs[key]], "S")


@pytest.mark.parametrize("name", ["small_old.h5", "small_model.h5"])
def test_files_of_keras(name: str) -> None:
    model = small_model(graphc)
    load_legacy_weights(model, FIXTURES / name)
    assert_loaded(model)


def test_new_file_of_keras() -> None:
    model = small_model(graphc)
    model.load_weights(FIXTURES / "small_new.weights.h5")
    assert_loaded(model)


def test_names_of_fixed_length(tmp_path: Path) -> None:
    model = small_model(graphc)
    load_legacy_weights(model, changed(tmp_path, fixed_names))
    assert_loaded(model)


def test_list_of_names_in_parts(tmp_path: Path) -> None:
    def split(file: h5py.File) -> None:
        names = np.array([name.encode() for name in file.attrs["layer_names"]])
        del file.attrs["layer_names"]
        for i, part in enumerate(np.array_split(names, 3)):
            file.attrs[f"layer_names{i}"] = part

    model = small_model(graphc)
    load_legacy_weights(model, changed(tmp_path, split))
    assert_loaded(model)


def test_names_of_weights_do_not_matter(tmp_path: Path) -> None:
    """As in the published files, whose weights are called otherwise: only their order counts."""

    def rename(file: h5py.File) -> None:
        file["conv"].move("conv/kernel", "conv_W_1:0")
        file["conv"].move("conv/bias", "conv_b_1:0")
        file["conv"].attrs["weight_names"] = np.array([b"conv_W_1:0", b"conv_b_1:0"])

    model = small_model(graphc)
    load_legacy_weights(model, changed(tmp_path, rename))
    assert_loaded(model)


class TestByName:
    def other(self) -> Any:
        inputs = graphc.Input((6, 5, 2))
        x = graphc.layers.Conv2D(4, (2, 3), name="conv")(inputs)
        x = graphc.layers.Conv2D(4, 1, name="new")(x)
        return graphc.Model(inputs, graphc.layers.BatchNormalization(name="norm")(x))

    def test_layers_of_these_names(self) -> None:
        model = self.other()
        kept = model.get_layer("new").get_weights()
        load_legacy_weights(model, OLD, by_name=True)
        source = small_model(graphc)
        source.set_weights(expected())
        for name in ("conv", "norm"):
            for one, other in zip(
                model.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True
            ):
                np.testing.assert_array_equal(one, other)
        for one, other in zip(model.get_layer("new").get_weights(), kept, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_in_order_it_does_not_fit(self) -> None:
        with pytest.raises(ModelFileError, match="has weights of 4 layers, and model .* has 3 layers"):
            load_legacy_weights(self.other(), OLD)

    def test_another_shape(self) -> None:
        inputs = graphc.Input((6, 5, 2))
        model = graphc.Model(inputs, graphc.layers.Conv2D(9, (2, 3), name="conv")(inputs))
        before = model.get_weights()
        with pytest.raises(
            ModelFileError, match=r"weight 'conv/kernel' has shape \(2, 3, 2, 9\) in the model and \(2, 3, 2, 4\)"
        ):
            load_legacy_weights(model, OLD, by_name=True)
        with pytest.warns(UserWarning, match="left alone"):
            load_legacy_weights(model, OLD, by_name=True, skip_mismatch=True)
        for one, other in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_another_number_of_weights(self) -> None:
        inputs = graphc.Input((6, 5, 2))
        model = graphc.Model(inputs, graphc.layers.Conv2D(4, (2, 3), use_bias=False, name="conv")(inputs))
        with pytest.raises(ModelFileError, match="layer 'conv' has 1 weights in the model and 2 in the file"):
            load_legacy_weights(model, OLD, by_name=True)


def soft_link(file: h5py.File) -> None:
    del file["conv/conv/kernel"]
    file["conv/conv/kernel"] = h5py.SoftLink("/dense/dense/kernel")


def external_link(file: h5py.File) -> None:
    del file["conv/conv/kernel"]
    file["conv/conv/kernel"] = h5py.ExternalLink("/etc/hostname", "/")


def replace_kernel(**options: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file["conv/conv/kernel"]
        file["conv/conv"].create_dataset("kernel", **options)

    return change


def external_storage(file: h5py.File) -> None:
    del file["conv/conv/kernel"]
    file["conv/conv"].create_dataset("kernel", (2, 3, 2, 4), "f4", external=[("/etc/hostname", 0, 192)])


def virtual(file: h5py.File) -> None:
    del file["conv/conv/kernel"]
    layout = h5py.VirtualLayout((2, 3, 2, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (2, 3, 2, 4))
    file["conv/conv"].create_virtual_dataset("kernel", layout)


def group_for_weight(file: h5py.File) -> None:
    del file["conv/conv/kernel"]
    file["conv/conv"].create_group("kernel")


def names(value: Any, place: str = "/") -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        key = "layer_names" if place == "/" else "weight_names"
        file[place].attrs[key] = value

    return change


class TestHostile:
    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (soft_link, "SoftLink; only data inside the file"),
            (external_link, "ExternalLink; only data inside the file"),
            (external_storage, "points outside of the file"),
            (virtual, "points outside of the file"),
            (group_for_weight, "is a group of the file"),
            (replace_kernel(shape=(2**40, 2**10), dtype="f4", chunks=(1, 1)), "has shape"),
            (
                replace_kernel(shape=(2, 3, 2, 3), dtype="f4"),
                r"\(2, 3, 2, 4\) in the model and \(2, 3, 2, 3\) in the file",
            ),
            (replace_kernel(shape=(4,), dtype="f4"), "has shape"),
            (replace_kernel(shape=(2, 3, 2, 4), dtype="i8"), "must be float32; found int64"),
            (replace_kernel(shape=(2, 3, 2, 4), dtype=h5py.ref_dtype), "must be float32; found object"),
            (replace_kernel(shape=(2, 3, 2, 4), dtype="S9"), "must be float32"),
            (
                replace_kernel(
                    shape=(2, 3, 2, 4),
                    maxshape=(None,) * 4,
                    dtype="f4",
                    chunks=(2**7, 2**7, 2**7, 2**6),
                    compression="gzip",
                ),
                "is stored in chunks",
            ),
            (lambda file: file.__delitem__("conv/conv/bias"), "there is no 'conv/bias' in the group '/conv'"),
            (lambda file: file.__delitem__("norm"), "there is no 'norm'"),
            (names(np.array([b"conv/kernel"]), "conv"), "layer 'conv' has 2 weights in the model and 1 in the file"),
            (names(np.array([b"conv/kernel", b"../norm"]), "conv"), "there is no '../norm'"),
            (names(np.array([b"conv/kernel", b"/norm/norm/gamma"]), "conv"), "there is no '/norm/norm/gamma'"),
            (names(np.array([b"conv/kernel", b""]), "conv"), "there is no ''"),
            (names(np.array([b"conv/kernel", b"\xff\xfe"]), "conv"), "not UTF-8"),
            (names(np.array([1.0, 2.0]), "conv"), "must be a list of names"),
            (names(b"conv", "conv"), "must be a list of names"),
            (names(np.array([[b"a"], [b"b"]]), "conv"), "must be a list of names"),
            (names(np.array([b"conv", b"norm", b"inner"])), "has weights of 3 layers"),
            (
                names(np.array([b"norm", b"conv", b"inner", b"dense"])),
                "layer 'conv' .'norm' in the file. has 2 weights",
            ),
            (names(np.array([b"conv"] * 4)), "has 4 weights in the model and 2 in the file"),
            (lambda file: file.attrs.__delitem__("layer_names"), "names no layers"),
        ],
        ids=range(26),
    )
    def test_refused(self, tmp_path: Path, change: Any, complaint: str) -> None:
        path = changed(tmp_path, change)
        model = small_model(graphc)
        before = model.get_weights()
        with pytest.raises(ModelFileError, match=complaint) as caught:
            load_legacy_weights(model, path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
        for one, other in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_top_level_weights_of_another_model(self, tmp_path: Path) -> None:
        def add(file: h5py.File) -> None:
            file["top_level_model_weights"].create_dataset("w", data=np.zeros(3, "f4"))
            file["top_level_model_weights"].attrs["weight_names"] = np.array([b"w"])

        with pytest.raises(ModelFileError, match="model 'small' itself has 0 weights in the model and 1"):
            load_legacy_weights(small_model(graphc), changed(tmp_path, add))

    def test_one_large_text_for_all_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(legacy_h5_weights, "_LARGEST_NAMES", 2**20)
        load_legacy_weights(small_model(graphc), OLD)  # its own names are within that
        path = changed(tmp_path, names(["x" * 2**19] * 7))
        with pytest.raises(ModelFileError, match=r"may have 7 names of \d{6} bytes"):
            load_legacy_weights(small_model(graphc), path)

    def test_many_names(self, tmp_path: Path) -> None:
        path = changed(tmp_path, names(np.array([b"c"] * (2**14 + 1))))
        with pytest.raises(ModelFileError, match="may have 16385 names"):
            load_legacy_weights(small_model(graphc), path)

    @pytest.mark.parametrize("data", [b"", b"no HDF5", OLD.read_bytes()[:9000], OLD.read_bytes()[:600]])
    def test_damaged(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "damaged.h5"
        path.write_bytes(data)
        with pytest.raises(ModelFileError, match="cannot be read as HDF5"):
            load_legacy_weights(small_model(graphc), path)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelFileError, match="no such file"):
            load_legacy_weights(small_model(graphc), tmp_path / "none.h5")
        with pytest.raises(ModelFileError, match="not a regular file"):
            load_legacy_weights(small_model(graphc), tmp_path)

    def test_new_layout(self) -> None:
        with pytest.raises(ModelFileError, match=r"names no layers.*\.weights\.h5"):
            load_legacy_weights(small_model(graphc), FIXTURES / "small_new.weights.h5")

    def test_model_without_weights(self) -> None:
        with pytest.raises(NotBuiltError, match="has no weights yet"):
            load_legacy_weights(graphc.Sequential([graphc.layers.Dense(3)]), OLD)
