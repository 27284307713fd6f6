"""ZeroPadding1D, ZeroPadding2D, ZeroPadding3D."""

from __future__ import annotations

from typing import Any

from graphc.layers.data_format import channels_first, standard_data_format, standard_pairs, standard_tuple
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops


class BaseZeroPadding(Layer):
    """Zeros before and behind each spatial axis of ``(batch, *spatial, channels)``, or channels first.

    Args:
        padding: as the configuration holds it.
        pairs: how many zeros (before, behind) each spatial axis.
        data_format: ``channels_last`` or ``channels_first``.
    """

    rank: int

    def __init__(
        self, padding: Any, pairs: tuple[tuple[int, int], ...], data_format: str | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.padding = padding
        self._pairs = pairs
        self.data_format = standard_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The padded inputs."""
        none = (0, 0)
        first = channels_first(self.data_format)
        return ops.pad(inputs, (none, none, *self._pairs) if first else (none, *self._pairs, none))

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class ZeroPadding1D(BaseZeroPadding):
    """Zeros at the beginning and the end of time; ``padding`` is an integer, or (before, behind)."""

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        before, behind = standard_tuple(padding, 2, "padding", minimum=0)
        super().__init__((before, behind), ((before, behind),), data_format, **kwargs)


class ZeroPadding2D(BaseZeroPadding):
    """Zeros around images; ``padding`` is an integer, or for height and width an integer or (before, behind)."""

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        pairs = standard_pairs(padding, 2, "padding")
        super().__init__(pairs, pairs, data_format, **kwargs)


class ZeroPadding3D(BaseZeroPadding):
    """Zeros around volumes; ``padding`` is an integer, or for each axis an integer or (before, behind)."""

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        pairs = standard_pairs(padding, 3, "padding")
        super().__init__(pairs, pairs, data_format, **kwargs)
