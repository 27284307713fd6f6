"""Recurrent layers that make their own cell, so that the cell's arguments are theirs: SimpleRNN, GRU, LSTM, ConvLSTM."""

from __future__ import annotations

from typing import Any, ClassVar

from graphc.errors import ArgumentError
from graphc.layers.recurrent import RNN
from graphc.layers.recurrent_cells import configured


def of_cell(name: str) -> Any:
    """A property that shows an attribute of the layer's cell."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"The cell's ``{name}``.")


class CellArguments(RNN):
    """A recurrent layer whose constructor makes the cell."""

    CONFIG: ClassVar[tuple[str, ...]]
    """The constructor's arguments besides those of `RNN`, in the order of Keras's configuration."""

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {**self._loop_config(), **configured(self, self.CONFIG)}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """A layer from what `get_config` gave."""
        del custom_objects  # there is no object inside
        return cls(**config)


def check_cudnn(use_cudnn: Any) -> Any:
    """Keras's ``use_cudnn``, which steers nothing here.

    Raises:
        ArgumentError: it is none of "auto", True and False.
    """
    if use_cudnn not in ("auto", True, False):
        raise ArgumentError(
            "Invalid value received for argument `use_cudnn`. Expected one of {'auto', True, False}. "
            f"Received: use_cudnn={use_cudnn}"
        )
    return use_cudnn
