"""Functional models: a layer graph as a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.compiler import unique_names
from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.ir.dtypes import numpy_dtype
from graphc.layer_graph import LayerGraph, trace_layers
from graphc.layers.layer import Layer
from graphc.layers.operation import Operation
from graphc.layers.scope import current_training
from graphc.layers.structure import flatten, map_structure, ordered_keys
from graphc.layers.symbolic import LayerCall, SymbolicTensor
from graphc.model import Model
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.tracing import TracedTensor


class Functional(Model):
    """A model given by its input and output tensors. ``Model(inputs, outputs)`` makes one."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        for tensor in (*flatten(inputs), *flatten(outputs)):
            if not isinstance(tensor, SymbolicTensor):
                raise ArgumentError(
                    "`inputs` and `outputs` of a Model must be symbolic tensors: what `Input` and layers called on it give. "
                    f"Received {type(tensor).__name__}: {tensor!r:.80}"
                )
        self._input_structure = inputs
        self._output_structure = outputs
        self._inputs: list[SymbolicTensor] = flatten(inputs)
        self._outputs: list[SymbolicTensor] = flatten(outputs)
        if not self._inputs or not self._outputs:
            raise ArgumentError("A Model needs at least one input and one output.")
        if len({id(t) for t in self._inputs}) != len(self._inputs):
            raise ArgumentError(f"A Model's inputs must be different tensors; got {[t.name for t in self._inputs]}.")
        self._layer_graph: LayerGraph = trace_layers(self._inputs, self._outputs)
        self.built = True

    # -- structure --------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in Keras's order; calls of `graphc.ops` functions are `operations` but no layers."""
        return [layer for layer in self._layer_graph.layers if not isinstance(layer, Operation)]

    @property
    def operations(self) -> list[Layer]:
        """Layers and calls of `graphc.ops` functions, in Keras's order."""
        return list(self._layer_graph.layers)

    def sublayers(self) -> list[Layer]:
        """Layers and operations."""
        return self.operations

    @property
    def layer_graph(self) -> LayerGraph:
        """Layers and calls."""
        return self._layer_graph

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The input tensors, flat."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The output tensors, flat."""
        return list(self._outputs)

    @property
    def input(self) -> Any:
        """The input tensors as they were given."""
        return self._input_structure

    @property
    def output(self) -> Any:
        """The output tensors as they were given."""
        return self._output_structure

    @property
    def input_shape(self) -> Any:
        """The input shapes, in the nesting of the inputs."""
        return map_structure(lambda t: t.shape, self._input_structure)

    @property
    def output_shape(self) -> Any:
        """The output shapes, in the nesting of the outputs."""
        return map_structure(lambda t: t.shape, self._output_structure)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: of the graph, and of an exported model."""
        return [t.name if t.call is None else t.call.layer.name for t in self._inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs, as in Keras."""
        return [t.call.layer.name if t.call is not None else t.name for t in self._outputs]

    def export_names(self) -> list[str]:
        """The outputs' names in an exported model: dict keys where the outputs are a dict, else the layers' names."""
        if isinstance(self._output_structure, dict) and len(self._output_structure) == len(self._outputs):
            names = [str(k) for k in ordered_keys(self._output_structure)]
        else:
            names = self.output_names
        inputs = set(self.input_names)
        return unique_names([f"{n}_output" if n in inputs else n for n in names])

    # -- calling ----------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Replay the layer graph on other tensors."""
        del training, mask  # what inner layers see as `training` comes from the scope around this call
        given = self.flatten_inputs(inputs)
        values: dict[int, Any] = {
            id(tensor): self._fit_rank(tensor, x) for tensor, x in zip(self._inputs, given, strict=True)
        }
        for call in self._layer_graph.calls:
            self._replay(call, values)
        return map_structure(lambda t: values[id(t)], self._output_structure)

    def _replay(self, call: LayerCall, values: dict[int, Any]) -> None:
        outputs = call.output_tensors
        if all(id(t) in values for t in outputs):
            return
        args = map_structure(lambda a: values[id(a)] if isinstance(a, SymbolicTensor) else a, call.args)
        kwargs = map_structure(lambda a: values[id(a)] if isinstance(a, SymbolicTensor) else a, dict(call.kwargs))
        if "training" in kwargs and current_training() is not None:
            kwargs["training"] = current_training()  # what this run says outweighs what the call said, as in Keras
        results = flatten(call.layer(*args, **kwargs))
        values.update((id(t), r) for t, r in zip(outputs, results, strict=True))

    def flatten_inputs(self, inputs: Any) -> list[Any]:
        """Inputs given as one tensor, a list, or a dict by key or name, in the order of the model's inputs.

        Raises:
            ArgumentError: too few or too many, or an unknown name.
        """
        names = self.input_names
        if isinstance(inputs, Mapping):
            return self._flatten_by_name(inputs, names)
        flat = flatten(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if len(flat) != len(names):
            raise ArgumentError(
                f"Model {self.name!r} expects {len(names)} input(s) {names}, but it received {len(flat)} input tensor(s). "
                "Pass a list in this order, or a dict by name."
            )
        return flat

    def _flatten_by_name(self, inputs: Mapping[str, Any], names: list[str]) -> list[Any]:
        # By key of the inputs' own dict first, then by the names of the input tensors; never by position.
        structure = self._input_structure
        keys = ordered_keys(structure) if isinstance(structure, dict) else names
        for wanted in (keys, names):
            if set(wanted) <= set(inputs):
                return [inputs[k] for k in wanted]
        missing = [k for k in keys if k not in inputs]
        raise ArgumentError(
            f"Missing data for input {missing[0]!r} of model {self.name!r}. You passed a dictionary with keys "
            f"{list(inputs)}. Expected the keys {list(keys)}."
        )

    def _fit_rank(self, tensor: SymbolicTensor, x: Any) -> Any:
        """Keras's leniency: a missing or superfluous last axis of length 1 is mended, and the dtype is the input's."""
        wanted, shape = tensor.type.shape, dispatch.shape_of(x)
        if len(shape) == len(wanted) + 1 and shape[-1] == 1:
            x = ops.squeeze(x, -1)
        elif len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            x = ops.expand_dims(x, -1)
        shape = dispatch.shape_of(x)
        if len(shape) != len(wanted) or any(
            isinstance(w, int) and isinstance(d, int) and w != d for w, d in zip(wanted, shape, strict=True)
        ):
            shown = tuple(None if isinstance(d, str) else d for d in shape)
            name = self.input_names[[id(t) for t in self._inputs].index(id(tensor))]
            raise ShapeError(
                f"Input {name!r} of model {self.name!r} is incompatible with the model: "
                f"expected shape={tensor.shape}, found shape={shown}"
            )
        return dispatch.cast_to(x, tensor.dtype) if isinstance(x, TracedTensor) else x

    def as_feeds(self, inputs: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays for the graph's inputs, of their dtypes and ranks.

        Raises:
            DataError: something is not an array of numbers.
        """
        feeds = {}
        for name, tensor, x in zip(self.input_names, self._inputs, self.flatten_inputs(inputs), strict=True):
            array = np.asarray(x)
            if array.dtype.kind not in "biuf":
                raise DataError(f"Input {name!r} of model {self.name!r} must hold numbers; got dtype {array.dtype}.")
            feeds[name] = np.asarray(self._fit_rank(tensor, array)).astype(numpy_dtype(tensor.dtype), copy=False)
        return feeds

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Keras 3's configuration of a functional model."""
        from graphc.saving.functional_config import functional_config

        return functional_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model from what `get_config` gave, with new weights."""
        from graphc.saving.functional_config import functional_from_config

        return functional_from_config(config, custom_objects)


def is_functional_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """True when a constructor's arguments are the inputs and outputs of a functional model."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)
