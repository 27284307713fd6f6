"""Initializers: bounds and moments of what they draw, orthogonality, transforms, arrays, configurations, names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from graphc import initializers
from graphc.errors import ArgumentError
from graphc.stft_kernel import window_values

Array = np.ndarray[Any, Any]

SHAPE = (60, 90)
TRUNCATED = 0.87962566103423978
"""The standard deviation of a standard normal distribution that is cut at two standard deviations."""


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (60 + 90)),
        ("glorot_normal", 2 / (60 + 90)),
        ("he_uniform", 2 / 60),
        ("he_normal", 2 / 60),
        ("lecun_uniform", 1 / 60),
        ("lecun_normal", 1 / 60),
    ],
)
def test_scaled_by_the_number_of_inputs_and_outputs(name: str, variance: float) -> None:
    values = initializers.get({"class_name": name, "config": {"seed": 4}})(SHAPE)
    assert values.dtype == np.float32
    assert values.mean() == pytest.approx(0.0, abs=4 * math.sqrt(variance / values.size))
    assert values.var() == pytest.approx(variance, rel=0.06)
    limit = math.sqrt(3 * variance) if name.endswith("uniform") else 2 * math.sqrt(variance) / TRUNCATED
    assert 0.95 * limit < np.abs(values).max() <= limit * (1 + 1e-6)


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 3 * 5 * 40), ("fan_out", 3 * 5 * 50), ("fan_avg", 3 * 5 * 45)])
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
def test_variance_of_convolution_kernels(mode: str, fan: float, distribution: str) -> None:
    values = initializers.VarianceScaling(2.5, mode, distribution, seed=1)((3, 5, 40, 50))
    assert values.var() == pytest.approx(2.5 / fan, rel=0.03)


def test_axes_of_inputs_and_outputs_may_be_told() -> None:
    values = initializers.GlorotUniform(seed=2, input_axes=(0,), output_axes=(1, 2))((6, 70, 8))
    limit = math.sqrt(6 / (6 + 70 * 8))
    assert 0.99 * limit < np.abs(values).max() <= limit


def test_ranges() -> None:
    assert np.all(initializers.Zeros()((2, 3)) == 0)
    assert np.all(initializers.Ones()((2, 3), dtype="int32") == 1)
    assert np.all(initializers.Constant(2.5)((2, 3)) == 2.5)
    uniform = initializers.RandomUniform(-0.2, 0.6, seed=3)((5000,))
    assert uniform.min() >= -0.2
    assert uniform.max() < 0.6
    assert uniform.mean() == pytest.approx(0.2, abs=0.02)
    normal = initializers.RandomNormal(1.5, 0.3, seed=3)((20000,))
    assert normal.mean() == pytest.approx(1.5, abs=0.01)
    assert normal.std() == pytest.approx(0.3, rel=0.03)
    cut = initializers.TruncatedNormal(1.5, 0.3, seed=3)((20000,))
    assert np.abs(cut - 1.5).max() <= 0.6 + 1e-6
    assert cut.std() == pytest.approx(0.3 * TRUNCATED, rel=0.03)


@pytest.mark.parametrize(
    ("shape", "gain"), [((7, 4), 1.0), ((4, 7), 2.5), ((5, 5), 0.5), ((2, 3, 4), 1.0), ((2, 2, 9), 3.0)]
)
def test_orthogonal(shape: tuple[int, ...], gain: float) -> None:
    values = initializers.Orthogonal(gain, seed=5)(shape, dtype="float64")
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1])
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(small, gain**2 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_is_uniform_over_signs() -> None:
    signs = [np.sign(initializers.Orthogonal(seed=seed)((3, 3))[0, 0]) for seed in range(60)]
    assert 12 < signs.count(1.0) < 48


def test_identity() -> None:
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 4)), 3.0 * np.eye(2, 4))
    with pytest.raises(ArgumentError, match=r"\(2, 3, 4\)"):
        initializers.Identity()((2, 3, 4))


def test_seeds() -> None:
    one = initializers.HeNormal(seed=7)
    np.testing.assert_array_equal(one((3, 4)), one((3, 4)))
    free = initializers.HeNormal()
    assert not np.array_equal(free((3, 4)), free((3, 4)))


def test_array_as_initializer() -> None:
    given = np.arange(6.0).reshape(2, 3)
    make = initializers.get(given)
    np.testing.assert_array_equal(make((2, 3), dtype="float32"), given)
    with pytest.raises(ArgumentError, match=r"shape \(2, 3\).*shape \(3, 2\)"):
        make((3, 2))


# -- the short-time Fourier transform ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reference"),
    [("hann", np.hanning), ("hamming", np.hamming), ("blackman", np.blackman), ("bartlett", np.bartlett)],
)
def test_windows_are_numpys(name: str, reference: Any) -> None:
    np.testing.assert_allclose(window_values(name, 9), reference(9), atol=1e-15)
    np.testing.assert_allclose(window_values(name, 8, periodic=True), reference(9)[:-1], atol=1e-15)
    assert window_values(name, 1) == 1


# What scipy.signal.get_window gives for six samples, symmetric, and five, periodic.
SCIPY_WINDOWS = {
    "barthann": (
        [0.0, 0.35857354213752, 0.87942645786248, 0.87942645786248, 0.35857354213752, 0.0],
        [0.0, 0.35857354213752, 0.87942645786248, 0.87942645786248, 0.35857354213752],
    ),
    "blackmanharris": (
        [6e-05, 0.10301148934566, 0.79383351065434, 0.79383351065434, 0.10301148934566, 6e-05],
        [6e-05, 0.10301148934566, 0.79383351065434, 0.79383351065434, 0.10301148934566],
    ),
    "bohman": (
        [0.0, 0.17912389370628, 0.83431145225769, 0.83431145225769, 0.17912389370628, 0.0],
        [0.0, 0.17912389370628, 0.83431145225769, 0.83431145225769, 0.17912389370628],
    ),
    "boxcar": ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]),
    "flattop": (
        [-0.000421051, -0.06771425207621, 0.60687215257621, 0.60687215257621, -0.06771425207621, -0.000421051],
        [-0.000421051, -0.06771425207621, 0.60687215257621, 0.60687215257621, -0.06771425207621],
    ),
    "nuttall": (
        [0.0003628, 0.11051525304987, 0.79825809695013, 0.79825809695013, 0.11051525304987, 0.0003628],
        [0.0003628, 0.11051525304987, 0.79825809695013, 0.79825809695013, 0.11051525304987],
    ),
}


@pytest.mark.parametrize("name", SCIPY_WINDOWS)
def test_windows_are_scipys(name: str) -> None:
    symmetric, periodic = SCIPY_WINDOWS[name]
    np.testing.assert_allclose(window_values(name, 6), symmetric, atol=1e-12)
    np.testing.assert_allclose(window_values(name, 5, periodic=True), periodic, atol=1e-12)


def test_kernel_is_the_transform_of_a_frame() -> None:
    frame = np.random.RandomState(0).rand(12)
    window = np.hamming(13)[:-1]
    expected = np.fft.rfft(frame * window / np.abs(window).sum())
    kernels = [initializers.STFT(side, "hamming", "spectrum", True)((12, 1, 7), "float64") for side in ("real", "imag")]
    real, imag = (np.einsum("t,tcf->f", frame, kernel) for kernel in kernels)
    np.testing.assert_allclose(real + 1j * imag, expected, atol=1e-12)


def test_kernel_has_keras_numbers() -> None:
    # keras.initializers.STFT("real", "hann", "density")((4, 1, 3))
    expected = [0.0, 0.0, 0.0, 0.7071068, -3.090862e-08, -0.7071068, 0.7071068, -0.7071068, 0.7071068, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(initializers.STFT()((4, 1, 3)).ravel(), expected, atol=1e-6)
    window = [0.5, 1.0, 1.0, 0.5]
    given = initializers.STFT(window=window, scaling=None)((4, 1, 3))
    np.testing.assert_allclose(given[:, 0, 0], window)


def test_stft_arguments() -> None:
    for arguments, told in (
        ({"side": "left"}, "'real' or 'imag'"),
        ({"scaling": "loud"}, "'density' or 'spectrum'"),
        ({"window": "hanning"}, 'Did you mean "hann"'),
    ):
        with pytest.raises(ArgumentError, match=told):
            initializers.STFT(**arguments)
    with pytest.raises(ArgumentError, match="4 samples of a frame"):
        initializers.STFT(window=[1.0, 2.0])((4, 1, 3))
    with pytest.raises(ArgumentError, match="frame, 1, frequencies"):
        initializers.STFT()((4, 3))


# -- names and configurations ------------------------------------------------------------------------------------------

CONFIGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "Zeros": (initializers.Zeros(), {}),
    "Ones": (initializers.Ones(), {}),
    "Constant": (initializers.Constant(2), {"value": 2}),
    "Identity": (initializers.Identity(), {}),
    "RandomNormal": (initializers.RandomNormal(seed=1), {"seed": 1, "mean": 0.0, "stddev": 0.05}),
    "TruncatedNormal": (initializers.TruncatedNormal(), {"seed": None, "mean": 0.0, "stddev": 0.05}),
    "RandomUniform": (initializers.RandomUniform(), {"seed": None, "minval": -0.05, "maxval": 0.05}),
    "VarianceScaling": (
        initializers.VarianceScaling(seed=2),
        {"seed": 2, "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "input_axes": None,
         "output_axes": None},
    ),
    "HeNormal": (initializers.HeNormal(), {"seed": None, "input_axes": None, "output_axes": None}),
    "Orthogonal": (initializers.Orthogonal(2.0, seed=3), {"seed": 3, "gain": 2.0}),
    "STFT": (
        initializers.STFT("imag", "hamming", None, True),
        {"side": "imag", "window": "hamming", "periodic": True, "scaling": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_are_keras_configs(name: str) -> None:
    made, expected = CONFIGS[name]
    entry = initializers.serialize(made)
    assert (entry["module"], entry["class_name"], entry["registered_name"]) == ("keras.initializers", name, None)
    assert list(entry["config"].items()) == list(expected.items())
    assert initializers.deserialize(entry).get_config() == expected


def test_second_names() -> None:
    assert initializers.IdentityInitializer is initializers.identity is initializers.Identity
    assert initializers.OrthogonalInitializer is initializers.orthogonal is initializers.Orthogonal
    assert initializers.STFTInitializer is initializers.stft is initializers.STFT
    assert initializers.truncated_normal is initializers.TruncatedNormal
    for name, cls in (
        ("uniform", initializers.RandomUniform),
        ("normal", initializers.RandomNormal),
        ("one", initializers.Ones),
        ("STFTInitializer", initializers.STFT),
        ("orthogonal", initializers.Orthogonal),
    ):
        assert type(initializers.get(name)) is cls


def test_gain_of_the_identity_survives() -> None:
    entry = initializers.serialize(initializers.Identity(2.0))
    np.testing.assert_array_equal(initializers.deserialize(entry)((2, 2)), 2.0 * np.eye(2))
