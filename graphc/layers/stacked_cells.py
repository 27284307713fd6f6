"""Cells stacked on each other, and how cells of any kind are built and called: a user's own need not be layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from graphc.errors import ArgumentError
from graphc.layers.layer import Layer
from graphc.layers.recurrent_cells import single
from graphc.layers.scope import layer_scope
from graphc.ops import functional as ops
from graphc.serialization import deserialize_keras_object, serialize_keras_object


class StackedRNNCells(Layer):
    """Cells on top of each other, as one cell: the output of each is the input of the next.

    Args:
        cells: the cells, lowest first.

    Raises:
        ArgumentError: there is none, or one has no ``call`` or no ``state_size``.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, list | tuple) or not cells:
            raise ArgumentError(f"StackedRNNCells takes a list of at least one cell. Received: {cells!r:.80}")
        for cell in cells:
            for needed, article in (("call", "method"), ("state_size", "attribute")):
                if not hasattr(cell, needed):
                    raise ArgumentError(
                        f"All cells must have a `{needed}` {article}. Received cell without a `{needed}`: {cell}"
                    )
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The output size of the last cell."""
        return output_size_of(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The initial states of the cells, one entry for each."""
        return [initial_state_of(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one below."""
        shape = tuple(input_shape)
        for cell in self.cells:
            build_cell(cell, shape)
            shape = (shape[0], output_size_of(cell))

    def call(self, inputs: Any, states: Sequence[Any], training: bool = False) -> tuple[Any, list[Any]]:
        """One step through all cells."""
        new_states = []
        for cell, given in zip(self.cells, states, strict=True):
            nested = isinstance(given, list | tuple)
            inputs, new = call_cell(cell, inputs, list(given) if nested else [given], training)
            new_states.append(new[0] if not nested and isinstance(new, list | tuple) and len(new) == 1 else new)
        return inputs, new_states

    def get_config(self) -> dict[str, Any]:
        """The cells."""
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Stacked cells from what `get_config` gave."""
        config = dict(config)
        cells = [deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config.pop("cells")]
        return cls(cells, **config)


def build_cell(cell: Any, input_shape: tuple[Any, ...]) -> None:
    """Build a cell that is a layer and not built yet."""
    if isinstance(cell, Layer) and not cell.built:
        with layer_scope(cell.name, None):
            cell.build_with_shapes(input_shape)


def call_cell(cell: Any, inputs: Any, states: Any, training: bool | None) -> tuple[Any, Any]:
    """One step of any cell, also one that is no layer; ``training`` goes to those that take it."""
    step = cell if callable(cell) else cell.call
    if isinstance(cell, Layer) and "training" in cell._call_parameters:
        output, new = step(inputs, states, training=training)
    else:
        output, new = step(inputs, states)
    return output, new


def output_size_of(cell: Any) -> Any:
    """The length of a cell's output: what it says, else that of its first state."""
    size = getattr(cell, "output_size", None)
    return single(cell.state_size) if size is None else size


def initial_state_of(cell: Any, batch_size: Any, dtype: str) -> Any:
    """The state that a cell starts from: what it says, else zeros."""
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return make(batch_size=batch_size)
    if isinstance(cell.state_size, list | tuple):
        return [ops.zeros((batch_size, size), dtype=dtype) for size in cell.state_size]
    return ops.zeros((batch_size, cell.state_size), dtype=dtype)
