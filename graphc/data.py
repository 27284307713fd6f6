"""Batches for the training loops: from arrays in memory, or from a generator that makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError
from graphc.ir.dtypes import numpy_dtype
from graphc.ir.types import TensorType
from graphc.seeding import generator

Array = np.ndarray[Any, Any]


def as_data_array(x: Any, what: str) -> Array:
    """An array of numbers from an array, a nested list, a pandas object or another framework's tensor.

    Raises:
        DataError: it holds something other than real numbers or booleans.
    """
    if hasattr(x, "to_numpy") and not isinstance(x, np.ndarray):  # pandas, polars
        x = x.to_numpy()
    elif hasattr(x, "detach"):  # PyTorch
        x = x.detach().cpu().numpy()
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise DataError(f"{what} is not a rectangular array: {error}") from None
    if array.dtype.kind == "c":
        raise DataError(f"{what} holds complex numbers ({array.dtype}); split real and imaginary parts first.")
    if array.dtype.kind not in "biuf":
        first = array.ravel()[0] if array.size else None
        raise DataError(
            f"{what} must hold numbers, but its dtype is {array.dtype} (first element: {first!r:.60}). "
            "Encode it as numbers first; lists of different lengths must be padded."
        )
    if array.ndim == 0:
        raise DataError(f"{what} must have at least one axis, the samples; got the single number {array}.")
    return array


@dataclass(frozen=True)
class ArrayData:
    """Samples in memory.

    Attributes:
        arrays: graph input name to an array whose first axis is the samples.
        size: the number of samples.
    """

    arrays: Mapping[str, Array]
    size: int

    @staticmethod
    def of(arrays: Mapping[str, Array]) -> ArrayData:
        """Check that all arrays hold the same number of samples, at least one.

        Raises:
            DataError: they do not.
        """
        sizes = {name: len(a) for name, a in arrays.items()}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name}: {size}" for name, size in sizes.items())
            raise DataError(
                f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. {listed}"
            )
        size = next(iter(sizes.values()))
        if size == 0:
            raise DataError("The dataset is empty: the arrays have no samples.")
        return ArrayData(arrays, size)

    def take(self, rows: slice) -> ArrayData:
        """Some of the samples, as views."""
        arrays = {name: a[rows] for name, a in self.arrays.items()}
        return ArrayData(arrays, len(range(*rows.indices(self.size))))

    def order(self, shuffle: bool) -> Array | None:
        """The order of the samples of one epoch; None for the order in memory."""
        return generator().permutation(self.size) if shuffle else None


def batches(size: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each batch; the last one may be short."""
    for start in range(0, size, batch_size):
        yield start, min(start + batch_size, size)


def fill(buffer: Array, source: Array, start: int, stop: int, order: Array | None) -> None:
    """Write one batch into a buffer, cast to its dtype, without an array in between where the dtype fits.

    Raises:
        DataError: the model was built for another batch size.
    """
    if len(buffer) != stop - start:
        raise DataError(
            f"The model was built for batches of {len(buffer)} samples, and this one has {stop - start}. Use a number of "
            f"samples that {len(buffer)} divides, or an Input without a fixed batch size."
        )
    if order is None:
        np.copyto(buffer, source[start:stop], casting="unsafe")
    elif source.dtype == buffer.dtype and source.flags.c_contiguous:
        # mode="clip" lets take() write straight into `out`; the indices are in range.
        np.take(source, order[start:stop], axis=0, out=buffer, mode="clip")
    else:
        np.copyto(buffer, source[order[start:stop]], casting="unsafe")


def fit_to_type(array: Array, type_: TensorType, what: str) -> Array:
    """A view of data with the rank of its input: Keras adds or drops a last axis of length 1.

    Raises:
        DataError: the shape does not fit.
    """
    shape = type_.shape
    if array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim == len(shape) - 1 and shape and shape[-1] == 1:
        array = array[..., None]
    if array.ndim != len(shape) or any(
        isinstance(d, int) and d != n for d, n in zip(shape[1:], array.shape[1:], strict=True)
    ):
        expected = tuple(None if isinstance(d, str) else d for d in shape)
        raise DataError(f"{what} must have shape {expected}; got an array of shape {array.shape}.")
    wanted = numpy_dtype(type_.dtype)
    if wanted.kind in "iu" and array.dtype.kind == "f" and array.size and not _whole(array):
        raise DataError(f"{what} must be whole numbers ({type_.dtype}); it holds fractions or NaN.")
    return array


def _whole(array: Array) -> bool:
    return bool(np.all(np.isfinite(array)) and np.all(array == np.floor(array)))


def split_validation(data: ArrayData, fraction: float) -> tuple[ArrayData, ArrayData]:
    """The first and the last samples: the last ``fraction`` is for validation, before any shuffling, as in Keras.

    Raises:
        ArgumentError: ``fraction`` is not between 0 and 1, or one part would be empty.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 < fraction < 1:
        raise ArgumentError(f"`validation_split` must be a number between 0 and 1; got {fraction!r}.")
    at = int(data.size * (1.0 - fraction))
    if at == 0 or at == data.size:
        raise ArgumentError(
            f"Training data contains {data.size} samples, which is not sufficient to split it into a validation and "
            f"training set as specified by `validation_split={fraction}`. Either provide more data, or a different value "
            "for the `validation_split` argument."
        )
    return data.take(slice(0, at)), data.take(slice(at, None))


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)`` as three values; a list counts as a tuple, as in Keras.

    Raises:
        ArgumentError: a tuple of another length.
    """
    data = tuple(data) if isinstance(data, list) else data
    if not isinstance(data, tuple):
        return data, None, None
    if 1 <= len(data) <= 3:
        x, y, weight = (*data, None, None)[:3]
        return x, y, weight
    raise ArgumentError(
        f"Data must be given as x, (x,), (x, y) or (x, y, sample_weight); got a tuple of {len(data)} elements."
    )


def is_generator(x: Any) -> bool:
    """True for iterators of batches."""
    return hasattr(x, "__next__") or (
        hasattr(x, "__getitem__") and hasattr(x, "__len__") and hasattr(x, "on_epoch_end")
    )


def check_count(value: Any, name: str, minimum: int) -> int:
    """An integer argument such as ``epochs`` or ``batch_size``.

    Raises:
        ArgumentError: it is no integer, or too small.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < minimum:
        raise ArgumentError(f"`{name}` must be an integer of at least {minimum}; got {value!r}.")
    return int(value)
