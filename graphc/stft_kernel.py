"""The kernel of a short-time Fourier transform as a convolution, and the windows it is weighted with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, did_you_mean

Array = np.ndarray[Any, Any]


def _cosines(*weights: float) -> Callable[[Array], Array]:
    """A window that is a sum of cosines; ``weights`` alternate in sign (Harris 1978; Nuttall 1981)."""

    def window(t: Array) -> Array:
        terms = [(-1) ** k * weight * np.cos(2 * np.pi * k * t) for k, weight in enumerate(weights)]
        total: Array = np.sum(terms, axis=0)
        return total

    return window


def _bohman(t: Array) -> Array:
    distance = np.abs(2 * t - 1)
    values: Array = (1 - distance) * np.cos(np.pi * distance) + np.sin(np.pi * distance) / np.pi
    return values


# From a place in the window, 0 at its first sample to 1 at its last, to the weight there.
_WINDOWS: dict[str, Callable[[Array], Array]] = {
    "bartlett": lambda t: 1 - np.abs(2 * t - 1),
    "barthann": lambda t: 0.62 - 0.48 * np.abs(t - 0.5) - 0.38 * np.cos(2 * np.pi * t),
    "blackman": _cosines(0.42, 0.5, 0.08),
    "blackmanharris": _cosines(0.35875, 0.48829, 0.14128, 0.01168),
    "bohman": _bohman,
    "boxcar": np.ones_like,
    "flattop": _cosines(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "hamming": _cosines(0.54, 0.46),
    "hann": _cosines(0.5, 0.5),
    "nuttall": _cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411),
}


def window_values(name: str, length: int, periodic: bool = False) -> Array:
    """A window by its name in ``scipy.signal.windows``.

    Args:
        name: of the window.
        length: the number of samples.
        periodic: for a window that repeats: the first sample follows the last one; else the window is symmetric.

    Raises:
        ArgumentError: there is none of that name here.
    """
    shape = _WINDOWS.get(name.lower())
    if shape is None:
        raise ArgumentError(
            f"There is no window {name!r}.{did_you_mean(name, _WINDOWS)} Others may be given as an array of their values."
        )
    if length == 1:
        return np.ones(1)
    return shape(np.arange(length) / (length if periodic else length - 1))


def stft_kernel(shape: tuple[int, ...], side: str, window: Any, scaling: str | None, periodic: bool) -> Array:
    """A kernel ``(frame, 1, frequencies)`` whose convolution is one part of the transform of each frame.

    Element ``(t, 0, f)`` is ``cos(-2 pi t f / n)``, or the sine, with ``n = 2 * (frequencies - 1)``, times the window over
    its norm.

    Args:
        shape: of the kernel.
        side: ``real`` or ``imag``.
        window: a name, an array of ``frame`` numbers, or None.
        scaling: the window's norm: ``density`` for L2, ``spectrum`` for L1, None for none.
        periodic: see `window_values`.

    Raises:
        ArgumentError: the shape or the window does not fit.
    """
    if len(shape) != 3:
        raise ArgumentError(f"The STFT initializer makes kernels (frame, 1, frequencies); got the shape {shape}.")
    frame, _, frequencies = shape
    step = -2 * math.pi * np.arange(frame)[:, None, None] * np.arange(frequencies) / (2 * (frequencies - 1))
    kernel: Array = np.cos(step) if side == "real" else np.sin(step)
    if window is None:
        return np.broadcast_to(kernel, shape)
    values = window_values(window, frame, periodic) if isinstance(window, str) else np.asarray(window, np.float64)
    if values.shape != (frame,):
        raise ArgumentError(f"The window must have the {frame} samples of a frame; got the shape {values.shape}.")
    norms = {"density": np.sqrt(np.sum(values**2)), "spectrum": np.sum(np.abs(values)), None: 1.0}
    return np.broadcast_to(kernel * values[:, None, None] / norms[scaling], shape)
