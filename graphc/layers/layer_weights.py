"""The weights of a layer: making them, listing them, freezing them, reading and setting their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc import constraints, initializers, regularizers
from graphc.errors import ArgumentError, DTypeError, GraphcError, NotBuiltError, ShapeError
from graphc.ir.dtypes import is_float, standardize_dtype
from graphc.layers import weight_budget
from graphc.layers.scope import current_path
from graphc.ops.functional.variable import Variable

if TYPE_CHECKING:
    from graphc.layers.layer import Layer

_LEAF_TYPES = (str, bytes, int, float, bool, type(None), np.ndarray, np.generic)


class LayerWeights:
    """The part of `Layer` that owns variables, its own and those of the layers it holds as attributes."""

    name: str
    built: bool
    _dtype: str
    _trainable: bool
    _weights: list[Variable]

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Create a weight.

        Args:
            shape: a tuple of integers; ``()`` by default.
            initializer: a name, configuration or callable; ``glorot_uniform`` for floats, ``zeros`` otherwise.
            dtype: the layer's dtype by default.
            trainable: whether training updates it by gradient.
            regularizer: a penalty on the value, added to the loss.
            constraint: applied to the value after each update.
            name: the last part of the weight's path.

        Raises:
            ShapeError: a length is not a non-negative integer.
        """
        del autocast, aggregation, overwrite_with_gradient  # accepted for Keras's sake; they steer devices we have not
        self._check_initialized()
        lengths = tuple(shape) if isinstance(shape, Sequence) else (() if shape is None else (shape,))
        if any(isinstance(d, bool) or not isinstance(d, int | np.integer) or d < 0 for d in lengths):
            raise ShapeError(
                f"Layer {self.name!r} asked for a weight of shape {lengths}: every length must be a non-negative "
                "integer. A None comes from an input whose length is not fixed."
            )
        lengths = tuple(int(d) for d in lengths)
        kind = standardize_dtype(dtype) if dtype is not None else self._dtype
        weight_budget.charge(self.name, lengths, kind)
        default = "glorot_uniform" if is_float(kind) else "zeros"
        make = initializers.get(default if initializer is None else initializer)
        try:
            value = make(lengths, dtype=kind)
        except (MemoryError, ValueError) as error:
            if isinstance(error, GraphcError):
                raise
            raise ShapeError(
                f"Layer {self.name!r} asked for a weight of shape {lengths} and dtype {kind}, which cannot be made: {error}"
            ) from None
        variable = Variable(
            value,
            dtype=kind,
            name=name or f"variable{f'_{len(self._weights)}' if self._weights else ''}",
            trainable=trainable,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        path = current_path()
        variable.path = "/".join((*(path if path[-1:] == (self.name,) else (*path, self.name)), variable.name))
        if not self._trainable:
            variable.trainable = False
        self._weights.append(variable)
        return variable

    def _check_initialized(self) -> None:
        if "_calls" not in self.__dict__:
            raise GraphcError(
                f"Layer {type(self).__name__} was used before Layer.__init__ ran. "
                "Start its __init__ with `super().__init__()`."
            )

    def sublayers(self) -> list[Layer]:
        """The layers that this one holds as attributes (also in lists, tuples and dicts), in order of assignment."""
        found: dict[int, Any] = {}
        for item in _attribute_leaves(self):
            if isinstance(item, LayerWeights) and item is not self:
                found.setdefault(id(item), item)
        return list(found.values())

    def _own_variables(self) -> list[Variable]:
        found = {id(v): v for v in self._weights}
        for item in _attribute_leaves(self):
            if isinstance(item, Variable):
                found.setdefault(id(item), item)
        # sorted() is stable: trainable weights first, each group in order of creation.
        return sorted(found.values(), key=lambda v: not v.born_trainable)

    def _flatten_layers(self) -> list[Layer]:
        """This layer and all layers inside it, each once, in the order in which weights are listed."""
        found: dict[int, Any] = {}
        todo: list[Any] = [self]
        while todo:
            layer = todo.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                todo += reversed(layer.sublayers())
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """All weights: of this layer trainable first, then those of the layers inside it, layer by layer."""
        found = {id(v): v for layer in self._flatten_layers() for v in layer._own_variables()}
        return list(found.values())

    weights = variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training updates; none when the layer is not trainable."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that gradients do not update: moving statistics, and everything frozen."""
        updated = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in updated]

    non_trainable_weights = non_trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether training updates the weights. Setting it reaches all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for variable in layer._own_variables():
                variable.trainable = bool(value) and variable.born_trainable

    def count_params(self) -> int:
        """The number of weights' elements.

        Raises:
            NotBuiltError: the layer has no weights yet because it was never called.
        """
        if not self.built:
            raise NotBuiltError(
                f"Layer {self.name!r} has no weights yet, so they cannot be counted. Call it on data or an Input first."
            )
        return sum(v.array.size for v in self.variables)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of all weights, in the order of `weights`."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights from arrays in the order of `weights`. Either all are set or none.

        Raises:
            ArgumentError: another number of arrays.
            ShapeError: an array has another shape than its weight.
        """
        variables = self.variables
        if not isinstance(weights, list | tuple):
            raise ArgumentError(f"`set_weights` takes a list of arrays; got {type(weights).__name__}.")
        if len(variables) != len(weights):
            raise ArgumentError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length {len(weights)}, "
                f"but the layer was expecting {len(variables)} weights."
            )
        arrays = [np.asarray(w) for w in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if array.dtype.kind not in "biuf":
                raise DTypeError(
                    f"Weight {variable.path!r} takes numbers; the array given for it has dtype {array.dtype}."
                )
            if variable.shape != array.shape:
                raise ShapeError(
                    f"Weight {variable.path!r} of layer {self.name!r} has shape {variable.shape}; "
                    f"the array given for it has shape {array.shape}."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)


def _attribute_leaves(layer: LayerWeights) -> Iterator[Any]:
    for name, value in vars(layer).items():
        if name in _NOT_PARTS or isinstance(value, _LEAF_TYPES):
            continue
        for item in _held(value):
            if isinstance(item, LayerWeights | Variable):
                yield item


def _held(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts; dicts in their own order, which is that of weights in Keras."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo += reversed(item.values())
        elif isinstance(item, list | tuple):
            todo += reversed(item)
        else:
            yield item


_NOT_PARTS = frozenset(
    {
        "_weights",
        "_calls",
        "_constructor_arguments",
        "_losses",
        "_origin",
        "_build_shapes",
        "_random_key",
        "input_spec",
        "random_key",
    }
)
