"""Compares graphc's records with Keras's, each kind of number by its own tolerance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .support import (
    Array,
)


def reduction_atol(xs: Sequence[Array], weights: Sequence[Array]) -> float:
    """The absolute error that float32 sums may have: 4 eps sqrt(K) max|x| max|w|, K terms in the longest sum."""
    kernels = [weight for weight in weights if weight.ndim >= 2]
    if not kernels:
        return 0.0
    terms = max(int(np.prod(kernel.shape[:-1])) for kernel in kernels)
    largest = max(float(np.abs(kernel).max()) for kernel in kernels)
    x = max(float(np.abs(value).max()) for value in xs)
    return float(4 * np.finfo(np.float32).eps * np.sqrt(terms) * x * largest)


def assert_arrays(actual: Mapping[str, Array], expected: Mapping[str, Array], *, rtol: float, atol: float) -> None:
    """Same keys, shapes, dtypes and values."""
    assert list(actual) == list(expected)
    for key, value in expected.items():
        assert actual[key].shape == value.shape, f"{key}: shape {actual[key].shape}, Keras has {value.shape}"
        assert actual[key].dtype == value.dtype, f"{key}: dtype {actual[key].dtype}, Keras has {value.dtype}"
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)


def assert_logs(actual: Mapping[str, float], expected: Mapping[str, float], *, rtol: float, atol: float) -> None:
    """Same keys in the same order, same values."""
    assert list(actual) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)


def assert_same_json(actual: Any, expected: Any, path: str = "") -> None:
    """Equal JSON, but for the rounding of floats to float32, which Keras writes for some numbers and not for others."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        missing, extra = sorted(expected.keys() - actual.keys()), sorted(actual.keys() - expected.keys())
        assert missing == extra == [], f"{path or '/'}: Keras also has {missing}, we also have {extra}"
        for key, value in expected.items():
            assert_same_json(actual[key], value, f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(actual) == len(expected), f"{path}: {actual}, Keras has {expected}"
        for index, value in enumerate(expected):
            assert_same_json(actual[index], value, f"{path}/{index}")
    elif isinstance(expected, float) and isinstance(actual, float):
        assert np.isclose(actual, expected, rtol=1e-6, atol=0), f"{path}: {actual!r}, Keras has {expected!r}"
    else:
        assert type(actual) is type(expected), f"{path}: {actual!r}, Keras has {expected!r}"
        assert actual == expected, f"{path}: {actual!r}, Keras has {expected!r}"


def assert_same_update(start: Sequence[Array], actual: Sequence[Array], expected: Sequence[Array]) -> None:
    """The change of the weights is Keras's, to 1e-3 of its own size.

    Comparing weights alone would pass a wrong gradient that is small beside the weight.
    """
    for index, (before, ours, theirs) in enumerate(zip(start, actual, expected, strict=True)):
        error = float(np.linalg.norm(ours - theirs))
        change = float(np.linalg.norm(theirs - before))
        floor = 4 * float(np.finfo(np.float32).eps) * float(np.linalg.norm(theirs))
        assert error <= 1e-3 * change + floor, f"weight {index}: off by {error:.3g}, Keras moved it by {change:.3g}"


def numbered(arrays: Mapping[str, Array], prefix: str) -> list[Array]:
    """The arrays ``<prefix>0, <prefix>1, ...`` in order."""
    found = [key for key in arrays if re.fullmatch(rf"{prefix}\d+", key)]
    return [arrays[f"{prefix}{index}"] for index in range(len(found))]
