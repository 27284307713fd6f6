"""Damaged and hostile ``.keras`` files: refused with one kind of error, quickly, without memory, code or other files."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ModelFileError

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def good() -> dict[str, bytes]:
    """The members of a small valid archive."""
    graphc.utils.clear_session()
    x = graphc.Input((4,), name="x")
    model = graphc.Model(x, layers.Dense(3, name="out")(layers.Dense(5, name="d", activation="relu")(x)))
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    memory = io.BytesIO()
    model.save(memory)
    with zipfile.ZipFile(memory) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def refused(data: bytes, words: str, path: Path) -> None:
    """``data`` is refused in these words, and the message names the file."""
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=words) as caught:
        graphc.models.load_model(path)
    assert str(path) in str(caught.value)


def test_the_good_archive_loads(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(zipped(good))
    assert graphc.models.load_model(tmp_path / "m.keras").count_params() == 43


# -- the container ----------------------------------------------------------------------------------------------------


def patched(data: bytes, old: bytes, new: bytes, *, at: int = 0) -> bytes:
    """``data`` with one occurrence of some bytes replaced."""
    place = data.index(old, at)
    return data[:place] + new + data[place + len(old) :]


def central(data: bytes) -> int:
    """Where the list of members begins."""
    return data.index(b"PK\x01\x02")


CONTAINERS: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "empty": (lambda m: b"", "not a ZIP archive"),
    "text": (lambda m: b"hello", "not a ZIP archive"),
    "half": (lambda m: zipped(m)[: len(zipped(m)) // 2], "cut short"),
    "without its end": (lambda m: zipped(m)[:-30], "cut short"),
    "no config": (lambda m: zipped({k: v for k, v in m.items() if k != CONFIG}), CONFIG),
    "no weights": (lambda m: zipped({k: v for k, v in m.items() if k != WEIGHTS}), "Layer 'd'|model.weights.h5"),
    "absolute name": (lambda m: zipped({**m, "/abs/x": b"1"}), "'/abs/x'"),
    "name that leads out": (lambda m: zipped({**m, "../x": b"1"}), r"'\.\./x'"),
    "name that leads out of the assets": (lambda m: zipped({**m, "assets/../../x": b"1"}), "assets/"),
    "pickle": (lambda m: zipped({**m, "model.pkl": b"1"}), "model.pkl"),
    "config is a folder": (lambda m: zipped({"config.json/": b"", WEIGHTS: m[WEIGHTS]}), "config.json/"),
    "bomb": (
        lambda m: zipped({**m, CONFIG: b" " * 80_000_000}, zipfile.ZIP_DEFLATED),
        "expand|at most",
    ),
    "bomb of weights": (lambda m: zipped({**m, WEIGHTS: bytes(80_000_000)}, zipfile.ZIP_DEFLATED), "expand"),
    "large config": (lambda m: zipped({**m, CONFIG: b" " * (65 * 2**20)}), "at most"),
    "large metadata": (lambda m: zipped({**m, METADATA: b" " * 100_000}), "at most"),
    "weights of another size": (lambda m: zipped({**m, WEIGHTS: m[WEIGHTS] + bytes(40_000_000)}), "at most"),
    "metadata is no JSON": (lambda m: zipped({**m, METADATA: b"{"}), "metadata.json"),
    "HDF5": (lambda m: m[WEIGHTS], "HDF5 file"),
    "JSON": (lambda m: m[CONFIG], "model_from_json"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_broken_container_is_refused(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    make, words = CONTAINERS[name]
    refused(make(good), words, tmp_path / "m.keras")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(good: dict[str, bytes], tmp_path: Path) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in [*good.items(), (CONFIG, good[CONFIG])]:
            archive.writestr(name, data)
    refused(memory.getvalue(), "two members", tmp_path / "m.keras")


def test_flags_methods_and_sizes_of_members(good: dict[str, bytes], tmp_path: Path) -> None:
    data = zipped(good)
    first = central(data)
    flags = data[: first + 8] + b"\x01\x00" + data[first + 10 :]
    refused(flags, "encrypted", tmp_path / "m.keras")
    method = data[: first + 10] + struct.pack("<H", 99) + data[first + 12 :]
    refused(method, "method 99", tmp_path / "m.keras")
    size = data[: first + 24] + struct.pack("<I", 10) + data[first + 28 :]
    refused(size, "sizes differ", tmp_path / "m.keras")
    huge = data[: first + 20] + struct.pack("<II", 2**31, 2**31) + data[first + 28 :]
    refused(huge, "expand", tmp_path / "m.keras")
    second = data.index(b"PK\x01\x02", first + 4)
    overlap = data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]
    refused(overlap, "overlaps", tmp_path / "m.keras")


def test_a_flipped_bit_is_found_by_its_checksum(good: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(zipped(good))
    data[data.index(b'"class_name"') + 3] ^= 1
    refused(bytes(data), "damaged", tmp_path / "m.keras")


def test_compressed_members_are_read(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(zipped(good, zipfile.ZIP_DEFLATED))
    assert graphc.models.load_model(tmp_path / "m.keras").count_params() == 43


def test_metadata_may_be_missing(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(zipped({k: good[k] for k in (CONFIG, WEIGHTS)}))
    graphc.models.load_model(tmp_path / "m.keras")


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        graphc.models.load_model(tmp_path / "none.keras")
    with pytest.raises(ModelFileError, match="regular file"):
        graphc.models.load_model(tmp_path)
    os.mkfifo(tmp_path / "pipe.keras")  # opening it for reading would wait for a writer
    with pytest.raises(ModelFileError, match="regular file"):
        graphc.models.load_model(tmp_path / "pipe.keras")
    with pytest.raises(ModelFileError, match="regular file"):
        graphc.models.load_model("/dev/zero")


# -- config.json ------------------------------------------------------------------------------------------------------


def dense(entry: dict[str, Any]) -> dict[str, Any]:
    return next(e for e in entry["config"]["layers"] if e["name"] == "d")


CONFIGS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "null": (lambda c: None, "JSON object"),
    "cut": (lambda c: "{", "line 1"),
    "deep": (lambda c: '{"a":' * 20_000, "deep|valid JSON"),
    "long integer": (lambda c: "1" * 5_000, "64 bits|number"),
    "lambda": (
        lambda c: dense(c)["config"].update(activation={"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}),
        "activation|lambda",
    ),
    "lambda argument": (
        lambda c: dense(c)["inbound_nodes"][0]["args"].append(
            {"class_name": "__lambda__", "config": {"value": "4w=="}}
        ),
        "bytecode of a lambda.*never code",
    ),
    "Lambda layer": (
        lambda c: dense(c).update(
            class_name="Lambda",
            config={"name": "d", "function": {"class_name": "__lambda__", "config": {"value": "4w=="}}},
        ),
        "ambda",
    ),
    "function of a module": (
        lambda c: dense(c)["config"].update(
            activation={
                "module": "subprocess",
                "class_name": "function",
                "config": "check_output",
                "registered_name": "x",
            }
        ),
        "activation|check_output",
    ),
    "loss of a module": (
        lambda c: c["compile_config"].update(
            loss={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
        ),
        "Unknown function 'system'",
    ),
    "optimizer of a module": (
        lambda c: c["compile_config"].update(
            optimizer={"module": "os", "class_name": "system", "config": {}, "registered_name": None}
        ),
        "Unknown layer class 'system'|system",
    ),
    "class of a module": (
        lambda c: dense(c).update(
            module="keras.src.layers.tfsm_layer", class_name="TFSMLayer", registered_name="TFSMLayer"
        ),
        "Unknown layer class 'TFSMLayer'",
    ),
    "too many weights": (lambda c: dense(c)["config"].update(units=10**12), "weights of this file|bytes"),
    "units as text": (lambda c: dense(c)["config"].update(units="5"), "units"),
    "units as truth": (lambda c: dense(c)["config"].update(units=True), "units"),
    "no name": (lambda c: dense(c)["config"].update(name="a\0b"), "printable"),
    "negative length": (lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, -4]), "-4"),
    "rank": (lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None] * 100_000), "rank|32|dimensions"),
    "unknown dtype": (lambda c: dense(c)["config"].update(dtype="float99"), "float99"),
    "unknown layer": (
        lambda c: dense(c)["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["ghost", 0, 0]),
        "ghost",
    ),
    "circle": (
        lambda c: dense(c)["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["out", 0, 0]),
        "go in a circle",
    ),
    "two of a name": (lambda c: c["config"]["layers"].append(dense(c)), "Two layers are named 'd'"),
    "shared between classes": (
        lambda c: [e.update(shared_object_id=5) for e in c["config"]["layers"]],
        "InputLayer and a Dense at once",
    ),
    "no build shape": (lambda c: dense(c).update(build_config={"input_shape": "abc"}), "'d'"),
    "class name is a list": (lambda c: dense(c).update(class_name=["Dense"]), "class_name"),
    "compile arguments": (lambda c: c["compile_config"].update(nonsense=1), "nonsense"),
    "outputs": (lambda c: c["config"].update(output_layers=["out", 3, 0]), "does not exist"),
    "operation": (lambda c: dense(c).update(module="keras.src.ops.numpy", class_name="System"), "Unknown operation"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_hostile_configuration_is_refused(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    change, words = CONFIGS[name]
    entry = json.loads(good[CONFIG])
    result = change(entry)
    text = result if isinstance(result, str) else json.dumps(None if name == "null" else entry)
    refused(zipped({**good, CONFIG: text.encode()}), words, tmp_path / "m.keras")


def test_there_is_no_switch_for_code(good: dict[str, bytes], tmp_path: Path) -> None:
    entry = json.loads(good[CONFIG])
    CONFIGS["lambda argument"][0](entry)
    (tmp_path / "m.keras").write_bytes(zipped({**good, CONFIG: json.dumps(entry).encode()}))
    with pytest.raises(ModelFileError, match="no switch"):
        graphc.models.load_model(tmp_path / "m.keras", safe_mode=False)


# -- the weights ------------------------------------------------------------------------------------------------------

KERNEL = "layers/dense/vars/0"


def replaced(file: h5py.File, data: Any = None, **options: Any) -> None:
    del file[KERNEL]
    if data is not None or options:
        file.create_dataset(KERNEL, data=data, **options)


def _reference(file: h5py.File) -> None:
    replaced(file)
    file.create_dataset(KERNEL, (4, 5), dtype=h5py.ref_dtype)


def _cycle(file: h5py.File) -> None:
    del file["layers/dense"]
    file["layers/dense"] = file["layers"]


def _link(link: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        replaced(file)
        file[KERNEL] = link

    return change


HDF5: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "soft link": (_link(h5py.SoftLink("/layers/dense_1/vars/0")), "soft link"),
    "external link": (_link(h5py.ExternalLink("/etc/passwd", "/x")), "link"),
    "data in another file": (
        lambda f: replaced(f, shape=(4, 5), dtype="f4", external=[("/etc/passwd", 0, 80)]),
        "other files",
    ),
    "compressed": (lambda f: replaced(f, np.ones((4, 5), "f4"), compression="gzip"), "compression|chunks"),
    "4 PB": (lambda f: replaced(f, shape=(2**25, 2**25), dtype="f4"), "bytes"),
    "4 PB in chunks": (lambda f: replaced(f, shape=(2**25, 2**25), dtype="f4", chunks=(8, 8)), "chunks"),
    "another shape": (lambda f: replaced(f, np.ones((5, 4), "f4")), r"\(4, 5\).*\(5, 4\)"),
    "too few rows": (lambda f: replaced(f, np.ones(5, "f4")), r"\(4, 5\)"),
    "integers": (lambda f: replaced(f, np.ones((4, 5), "i8")), "float32.*int64"),
    "text": (lambda f: replaced(f, np.full((4, 5), b"abcd")), "other than numbers"),
    "references": (_reference, "other than numbers"),
    "missing": (replaced, "expects 2 variables"),
    "of another name": (lambda f: f.move(KERNEL, "layers/dense/vars/7"), "missing"),
    "a group for an array": (lambda f: (replaced(f), f.create_group(KERNEL))[1], "expects 2 variables"),
    "groups in a circle": (_cycle, "expects 2 variables"),
    "new layout": (lambda f: None, ""),
}


@pytest.mark.parametrize("name", [name for name in HDF5 if name != "new layout"])
def test_hostile_weights_are_refused(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    change, words = HDF5[name]
    memory = io.BytesIO(good[WEIGHTS])
    with h5py.File(memory, "r+") as file:
        change(file)
    refused(zipped({**good, WEIGHTS: memory.getvalue()}), words, tmp_path / "m.keras")


def test_files_of_new_hdf5_versions_are_refused_in_words(good: dict[str, bytes], tmp_path: Path) -> None:
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="latest") as file:
        file[KERNEL] = np.ones((4, 5), "f4")
    refused(zipped({**good, WEIGHTS: memory.getvalue()}), "h5py's defaults", tmp_path / "m.keras")


def test_floats_of_other_sizes_and_orders_are_converted(good: dict[str, bytes], tmp_path: Path) -> None:
    memory = io.BytesIO(good[WEIGHTS])
    with h5py.File(memory, "r+") as file:
        replaced(file, np.arange(20.0).reshape(4, 5).astype(">f8"))
    (tmp_path / "m.keras").write_bytes(zipped({**good, WEIGHTS: memory.getvalue()}))
    model = graphc.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(model.get_layer("d").kernel.numpy(), np.arange(20).reshape(4, 5))


@pytest.mark.parametrize("cut", [0, 1, 8, 100, 0.3, 0.6, 0.99])
def test_truncated_weights(cut: float, good: dict[str, bytes], tmp_path: Path) -> None:
    data = good[WEIGHTS]
    kept = data[: cut if isinstance(cut, int) else int(cut * len(data))]
    refused(zipped({**good, WEIGHTS: kept}), "HDF5|damaged|weights", tmp_path / "m.keras")


# -- anything ---------------------------------------------------------------------------------------------------------


def scrambled(data: bytes, seed: int) -> bytes:
    """Bytes changed, cut out or doubled."""
    chosen = random.Random(seed)
    result = bytearray(data)
    for _ in range(chosen.choice([1, 1, 2, 8, 40])):
        place = chosen.randrange(len(result))
        kind = chosen.random()
        if kind < 0.8:
            result[place] = chosen.choice([0, 0xFF, chosen.randrange(256)])
        elif kind < 0.9:
            del result[place : place + chosen.randrange(1, 64)]
        else:
            result[place:place] = result[place : place + chosen.randrange(1, 64)]
    return bytes(result)


@pytest.mark.parametrize("seed", range(60))
def test_scrambled_files_raise_our_errors_only(seed: int, good: dict[str, bytes]) -> None:
    member = (CONFIG, WEIGHTS, None)[seed % 3]
    # One member with checksums that fit, so that what is inside is reached; or the container.
    data = zipped({**good, member: scrambled(good[member], seed)}) if member else scrambled(zipped(good), seed)
    with suppress(ModelFileError):  # or it loads: not every byte matters
        graphc.models.load_model(io.BytesIO(data))


def test_nothing_is_set_by_a_file_that_is_refused(good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "good.keras").write_bytes(zipped(good))
    model = graphc.models.load_model(tmp_path / "good.keras")
    before = model.get_weights()
    memory = io.BytesIO(good[WEIGHTS])
    with h5py.File(memory, "r+") as file:
        file["layers/dense/vars/0"][...] = 9.0
        del file["layers/dense_1/vars/1"]
    (tmp_path / "bad.weights.h5").write_bytes(memory.getvalue())
    with pytest.raises(ModelFileError, match="'out'"):
        model.load_weights(tmp_path / "bad.weights.h5")
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_checksums_are_those_of_zip(good: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(zipped(good))
    place = data.index(good[WEIGHTS])
    data[place + len(good[WEIGHTS]) // 2] ^= 0xFF
    assert zlib.crc32(good[WEIGHTS]) != zlib.crc32(bytes(data[place : place + len(good[WEIGHTS])]))
    refused(bytes(data), "damaged", tmp_path / "m.keras")
