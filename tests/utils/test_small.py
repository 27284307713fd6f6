"""The small functions of `utils`, `backend` and `config`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc
from graphc import backend, config, utils
from graphc.errors import ArgumentError, DTypeError

# keras.utils, keras.backend and keras.config of Keras 3.15, as far as they are here.
UTILS = """
CustomObjectScope Progbar PyDataset Sequence clear_session custom_object_scope get_custom_objects get_file
get_registered_name get_registered_object get_source_inputs is_keras_tensor normalize pack_x_y_sample_weight pad_sequences
register_keras_serializable set_random_seed standardize_dtype to_categorical unpack_x_y_sample_weight
"""
BACKEND = """
backend clear_session epsilon floatx get_uid image_data_format is_float_dtype is_int_dtype is_keras_tensor result_type
set_epsilon set_floatx set_image_data_format standardize_dtype
"""
CONFIG = "backend epsilon floatx image_data_format set_backend set_epsilon set_floatx set_image_data_format"


@pytest.mark.parametrize(("module", "names"), [(utils, UTILS), (backend, BACKEND), (config, CONFIG)])
def test_names(module: Any, names: str) -> None:
    assert set(names.split()) <= set(module.__all__)
    assert all(callable(getattr(module, name)) for name in names.split())


def test_get_source_inputs() -> None:
    a, b = graphc.Input((3,), name="a"), graphc.Input((2,), name="b")
    x = graphc.layers.Dense(2)(a)
    y = graphc.layers.Add()([x, b])
    z = graphc.layers.Add()([y, x])
    assert utils.get_source_inputs(z) == [a, b]
    assert utils.get_source_inputs([b, z]) == [b, a]
    assert utils.get_source_inputs(a) == [a]
    deep = a
    for _ in range(3000):
        deep = graphc.layers.Identity()(deep)
    assert utils.get_source_inputs(deep) == [a]


def test_is_keras_tensor() -> None:
    assert utils.is_keras_tensor(graphc.Input((3,)))
    assert not utils.is_keras_tensor(np.zeros(3))


def test_pack_and_unpack() -> None:
    x, y, w = np.zeros(2), np.ones(2), np.full(2, 3.0)
    assert utils.pack_x_y_sample_weight(x) is x
    assert utils.pack_x_y_sample_weight((x,)) == ((x,),)
    assert utils.pack_x_y_sample_weight(x, None, w) is x
    for packed in ((x, y), (x, y, w)):
        assert utils.pack_x_y_sample_weight(*packed) == packed
        assert utils.unpack_x_y_sample_weight(packed)[: len(packed)] == packed
    assert utils.unpack_x_y_sample_weight([x, y]) == (x, y, None)
    assert utils.unpack_x_y_sample_weight({"a": x}) == ({"a": x}, None, None)
    with pytest.raises(ArgumentError, match="4 elements"):
        utils.unpack_x_y_sample_weight((x, y, w, x))


def test_settings() -> None:
    assert (backend.backend(), config.floatx(), config.epsilon(), config.image_data_format()) == (
        "numpy",
        "float32",
        1e-7,
        "channels_last",
    )
    config.set_floatx("float32")
    backend.set_epsilon(1e-7)
    config.set_image_data_format("channels_last")
    config.set_backend("numpy")
    for change, advice in (
        (lambda: backend.set_floatx("float16"), "`floatx` is 'float32' and cannot become 'float16': pass `dtype=`"),
        (lambda: config.set_epsilon(1e-3), "pass `epsilon=`"),
        (lambda: backend.set_image_data_format("channels_first"), "pass `data_format=`"),
        (lambda: config.set_backend("jax"), "NumPy"),
    ):
        with pytest.raises(ArgumentError, match=advice):
            change()


def test_dtypes() -> None:
    assert [backend.standardize_dtype(d) for d in (None, int, float, bool, np.int64, "uint8")] == [
        *("float32", "int32", "float32", "bool", "int64", "uint8")
    ]
    with pytest.raises(DTypeError, match="flot"):
        utils.standardize_dtype("flot")
    assert (
        backend.is_float_dtype("float16") and backend.is_float_dtype(np.float32) and not backend.is_float_dtype("int8")
    )
    assert (
        backend.is_int_dtype("uint8") and not backend.is_int_dtype("float16") and not backend.is_int_dtype("nonsense")
    )
    assert backend.result_type("int32", "float32") == "float32"
    assert backend.result_type(int, "float16") == "float16"
    assert backend.result_type() == "float32"


def test_get_uid_counts_with_automatic_names() -> None:
    backend.clear_session()
    assert [backend.get_uid("dense"), backend.get_uid("dense")] == [1, 2]
    assert graphc.layers.Dense(1).name == "dense_2"
    assert backend.get_uid("dense") == 4
