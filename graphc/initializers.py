"""Initial values of weights (Keras's initializers and their formulas)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir.dtypes import numpy_dtype, standardize_dtype
from graphc.object_table import ObjectTable
from graphc.seeding import generator
from graphc.stft_kernel import stft_kernel, window_values

Array = np.ndarray[Any, Any]


class Initializer:
    """Makes the initial value of a weight: ``initializer(shape, dtype)`` gives an array."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        """An array of that shape; float32 by default."""
        return np.asarray(self.values(tuple(shape)), dtype=numpy_dtype(standardize_dtype(dtype or "float32")))

    def values(self, shape: tuple[int, ...]) -> Array:
        """The values in float64; to be written by subclasses."""
        raise ArgumentError(f"{type(self).__name__} must define `__call__(self, shape, dtype=None)`.")

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """An initializer from what `get_config` gave."""
        return cls(**config)


class Zeros(Initializer):
    """All zeros."""

    def values(self, shape: tuple[int, ...]) -> Array:
        """Zeros."""
        return np.zeros(shape)


class Ones(Initializer):
    """All ones."""

    def values(self, shape: tuple[int, ...]) -> Array:
        """Ones."""
        return np.ones(shape)


class Constant(Initializer):
    """All the same number."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def values(self, shape: tuple[int, ...]) -> Array:
        """The number, repeated."""
        return np.broadcast_to(np.asarray(self.value, dtype=np.float64), shape)

    def get_config(self) -> dict[str, Any]:
        """The number."""
        return {"value": self.value}


class Identity(Initializer):
    """``gain`` times the identity matrix."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def values(self, shape: tuple[int, ...]) -> Array:
        """The matrix."""
        if len(shape) != 2:
            raise ArgumentError(f"The Identity initializer makes matrices; a weight of shape {shape} was asked for.")
        return self.gain * np.eye(*shape)

    def get_config(self) -> dict[str, Any]:
        """The gain, where it is not 1: Keras's own files never hold it."""
        return {} if self.gain == 1.0 else {"gain": self.gain}


class _Seeded(Initializer):
    """Draws from the program's generator, or always the same values when it has a seed."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


class RandomNormal(_Seeded):
    """A normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def values(self, shape: tuple[int, ...]) -> Array:
        """Samples."""
        return generator(self.seed).normal(self.mean, self.stddev, shape)

    def get_config(self) -> dict[str, Any]:
        """Seed, mean and standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """A normal distribution whose samples beyond two standard deviations are drawn again."""

    def values(self, shape: tuple[int, ...]) -> Array:
        """Samples."""
        return self.mean + self.stddev * standard_truncated_normal(generator(self.seed), shape)


class RandomUniform(_Seeded):
    """A uniform distribution."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def values(self, shape: tuple[int, ...]) -> Array:
        """Samples."""
        return generator(self.seed).uniform(self.minval, self.maxval, shape)

    def get_config(self) -> dict[str, Any]:
        """Seed and bounds."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(_Seeded):
    """Samples whose variance is ``scale`` over the number of inputs, of outputs, or their mean.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010); He et al.,
    "Delving deep into rectifiers" (2015).

    Args:
        scale: of the variance.
        mode: ``fan_in``, ``fan_out`` or ``fan_avg``.
        distribution: ``truncated_normal``, ``untruncated_normal`` or ``uniform``.
        seed: for the same values each time.
        input_axes: the axes that count as inputs; the last but one by default.
        output_axes: the axes that count as outputs; the last by default.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0:
            raise ArgumentError(f"`scale` must be positive; got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ArgumentError(f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg'; got {mode!r}.")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform", "normal"):
            raise ArgumentError(
                f"`distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform'; got {distribution!r}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def values(self, shape: tuple[int, ...]) -> Array:
        """Samples."""
        fan_in, fan_out = self._fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        rng = generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return rng.normal(0.0, math.sqrt(variance), shape)
        # Cutting at two standard deviations leaves this much of the deviation.
        return standard_truncated_normal(rng, shape) * (math.sqrt(variance) / 0.87962566103423978)

    def _fans(self, shape: tuple[int, ...]) -> tuple[float, float]:
        if self.input_axes is not None or self.output_axes is not None:
            inputs = math.prod(shape[a] for a in _axes(self.input_axes))
            outputs = math.prod(shape[a] for a in _axes(self.output_axes))
            chosen = {a % len(shape) for a in (*_axes(self.input_axes), *_axes(self.output_axes))}
            rest = math.prod(d for i, d in enumerate(shape) if i not in chosen)
            return inputs * rest, outputs * rest
        if len(shape) < 2:
            fan = shape[0] if shape else 1
            return fan, fan
        window = math.prod(shape[:-2])
        return shape[-2] * window, shape[-1] * window

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


def _axes(axes: Any) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes or ())


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` with a name of its own, configured by its seed alone."""

    recipe: tuple[float, str, str]

    def __init__(self, seed: int | None = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self.recipe, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict[str, Any]:
        """Seed and axes."""
        return {"seed": self.seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_NamedScaling):
    """Uniform within sqrt(6 / (fan_in + fan_out)), also called Xavier."""

    recipe = (1.0, "fan_avg", "uniform")


class GlorotNormal(_NamedScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    recipe = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_NamedScaling):
    """Uniform within sqrt(6 / fan_in)."""

    recipe = (2.0, "fan_in", "uniform")


class HeNormal(_NamedScaling):
    """Truncated normal of variance 2 / fan_in."""

    recipe = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_NamedScaling):
    """Uniform within sqrt(3 / fan_in)."""

    recipe = (1.0, "fan_in", "uniform")


class LecunNormal(_NamedScaling):
    """Truncated normal of variance 1 / fan_in."""

    recipe = (1.0, "fan_in", "truncated_normal")


class Orthogonal(_Seeded):
    """A matrix with orthonormal rows or columns (Saxe et al., 2014); higher ranks are flattened to a matrix first."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def values(self, shape: tuple[int, ...]) -> Array:
        """The Q of a random matrix's QR decomposition, with signs that make it uniform."""
        if len(shape) < 2:
            raise ArgumentError(f"The Orthogonal initializer needs at least two axes; got shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = generator(self.seed).normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        """Seed and gain."""
        return {**super().get_config(), "gain": self.gain}


class STFT(Initializer):
    """The kernel of a convolution that is a short-time Fourier transform: one part of it, `graphc.stft_kernel`.

    Args:
        side: ``real`` or ``imag``.
        window: the name of a window of ``scipy.signal.windows``, an array of its values, or None.
        scaling: what the window is divided by: ``density`` for its L2 norm, ``spectrum`` for its L1 norm, None for 1.
        periodic: whether the window is one period of a function, or symmetric.
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in ("real", "imag"):
            raise ArgumentError(f"`side` must be 'real' or 'imag'; got {side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ArgumentError(f"`scaling` must be None, 'density' or 'spectrum'; got {scaling!r}.")
        if isinstance(window, str):
            window_values(window, 1)
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def values(self, shape: tuple[int, ...]) -> Array:
        """The kernel."""
        return stft_kernel(shape, self.side, self.window, self.scaling, self.periodic)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


class _Given(Initializer):
    """The values of an array, for a weight of the same shape."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    def values(self, shape: tuple[int, ...]) -> Array:
        """The array."""
        if self.array.shape != shape:
            raise ArgumentError(
                f"The array given as an initializer has shape {self.array.shape}; a weight of shape {shape} was asked for."
            )
        return self.array

    def get_config(self) -> dict[str, Any]:
        """None: a configuration does not hold arrays."""
        raise ArgumentError(
            "An array given as an initializer cannot be saved as a configuration. Use an initializer by name, and set the "
            "values with `set_weights`."
        )


def standard_truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal samples, each drawn again until it lies within two standard deviations."""
    samples = rng.standard_normal(shape)
    outside = np.abs(samples) > 2.0
    while outside.any():
        samples[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(samples) > 2.0
    return samples


_TABLE = ObjectTable(
    "initializer",
    "keras.initializers",
    classes=(Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
             GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal, STFT),
    aliases={
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "STFTInitializer": STFT,
        "one": Ones,
        "zero": Zeros,
    },
)  # fmt: skip


def get(identifier: Any) -> Callable[..., Any]:
    """An initializer from an object, array, name or configuration.

    Raises:
        ArgumentError: it is unknown; the message suggests near names.
    """
    if isinstance(identifier, np.ndarray | np.generic):
        return _Given(identifier)
    if isinstance(identifier, int | float) and not isinstance(identifier, bool):
        return Constant(identifier)
    found: Callable[..., Any] = _TABLE.get(identifier)
    return found


serialize = _TABLE.serialize
deserialize = _TABLE.deserialize

# Keras's second names.
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, orthogonal, stft = VarianceScaling, Orthogonal, STFT
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
