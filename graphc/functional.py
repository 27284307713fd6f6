"""Functional models: a layer graph as a model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.compiler import unique_names
from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.ir.dims import Dim, substitute
from graphc.ir.dtypes import numpy_dtype
from graphc.ir.types import TensorType
from graphc.layer_graph import LayerGraph, trace_layers
from graphc.layers.layer import Layer
from graphc.layers.operation import Operation
from graphc.layers.scope import current_training
from graphc.layers.symbolic import LayerCall, SymbolicTensor
from graphc.model import Model
from graphc.nesting import Task, run
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import get_mask, set_mask, with_mask
from graphc.ops.functional.tracing import TracedTensor, current_tracer
from graphc.serialization import shared_objects, task_beside
from graphc.structure import flatten, map_structure, ordered_keys


class Functional(Model):
    """A model given by its input and output tensors. ``Model(inputs, outputs)`` makes one."""

    _converts_arguments = False
    _keras_module = ("keras.src.models.functional", "Functional")

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
        """Layers and operations, and for a subclass the layers that it holds besides."""
        if type(self) is Functional:
            return self.operations
        return list({id(layer): layer for layer in (*self.operations, *super().sublayers())}.values())

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
        return run(self.call_task(inputs, training, mask))

    def call_task(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Task[Any]:
        """`call` as a task, for models within models."""
        del training  # what inner layers see as `training` comes from the scope around this call
        given = self.flatten_inputs(inputs)
        masks = [None] * len(given) if mask is None else flatten(mask)
        given = [x if m is None else with_mask(x, m) for x, m in zip(given, masks, strict=True)]
        values: dict[int, Any] = {
            id(tensor): self._fit_rank(tensor, x) for tensor, x in zip(self._inputs, given, strict=True)
        }
        for call in self._layer_graph.calls:
            outputs = call.output_tensors
            if all(id(t) in values for t in outputs):
                continue
            args, kwargs = self._arguments_of(call, values)
            if current_tracer() is not None and task_beside(type(call.layer), "call", "call_task"):
                results = yield call.layer.traced_call_task(args, kwargs)  # type: ignore[attr-defined]
            else:
                results = call.layer(*args, **kwargs)
            values.update((id(t), r) for t, r in zip(outputs, flatten(results), strict=True))
        return map_structure(lambda t: values[id(t)], self._output_structure)

    def _arguments_of(self, call: LayerCall, values: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call with other values for its symbolic tensors."""

        def value(a: Any) -> Any:
            return values[id(a)] if isinstance(a, SymbolicTensor) else a

        args, kwargs = map_structure(value, call.args), map_structure(value, dict(call.kwargs))
        if "training" in kwargs and current_training() is not None:
            kwargs["training"] = current_training()  # what this run says outweighs what the call said, as in Keras
        return args, kwargs

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The symbolic tensors that a call gives; known already when the model is called on what it was made for."""
        if mask is None and task_beside(type(self), "call", "call_task"):
            given = self.flatten_inputs(inputs)
            own = [t.type for t in self._inputs]
            symbolic = all(isinstance(x, SymbolicTensor) for x in given)
            names = _renamed_dims(own, [x.type for x in given]) if symbolic else None
            if names is not None:
                return map_structure(lambda t: SymbolicTensor(_with_dims(t.type, names)), self._output_structure)
        return super().compute_output_spec(inputs, training=training, mask=mask)

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
        wanted, shape, mask = tensor.type.shape, dispatch.shape_of(x), get_mask(x)
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
        x = dispatch.cast_to(x, tensor.dtype) if isinstance(x, TracedTensor) else x
        if mask is not None:
            set_mask(x, mask)
        return x

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
        """Keras 3's configuration of a functional model.

        A subclass whose constructor does not take inputs and outputs has the arguments of its constructor instead.
        """
        with shared_objects():
            config: dict[str, Any] = run(self.config_task())
            return config

    def config_task(self) -> Task[dict[str, Any]]:
        """`get_config` as a task, for models within models."""
        from graphc.saving.functional_config import functional_config_task

        if not has_functional_constructor(type(self)):
            return self._constructor_config(Layer.get_config(self))
        config: dict[str, Any] = yield functional_config_task(self)
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """Nothing: a functional model is built when it is made. Keras writes this form of it."""
        return {"input_shape": None}


def is_functional_call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """True when a constructor's arguments are the inputs and outputs of a functional model."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def has_functional_constructor(cls: type) -> bool:
    """True when a class is made as ``cls(inputs, outputs, name)``, so that a functional configuration can revive it."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    kinds = {p.kind for p in parameters}
    named = [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    anything = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    return anything or named == ["inputs", "outputs", "name"]


def become_functional(cls: type) -> type:
    """Put `Functional` between a subclass of `Model` and `Model`: its constructor was given inputs and outputs, as in Keras."""
    if cls is Model:
        return Functional
    if issubclass(cls, Model) and not issubclass(cls, Functional):
        cls.__bases__ = tuple(become_functional(base) for base in cls.__bases__)
    return cls


def _renamed_dims(own: Sequence[TensorType], given: Sequence[TensorType]) -> dict[str, Dim] | None:
    """What the named dims of a model's inputs are called where it is used, if nothing but names differs; else None."""
    names: dict[str, Dim] = {}
    for mine, other in zip(own, given, strict=True):
        if mine.dtype != other.dtype or mine.rank != other.rank:
            return None
        for dim, new in zip(mine.shape, other.shape, strict=True):
            if isinstance(dim, Dim) and isinstance(new, Dim) and names.setdefault(dim, new) == new:
                continue
            if isinstance(dim, Dim) or dim != new:
                return None
    plain = all(name.isidentifier() for name in names)
    distinct = len(set(names.values())) == len(names)  # two lengths that are one here may allow more
    return names if (plain and distinct) or all(k == v for k, v in names.items()) else None


def _with_dims(type_: TensorType, names: Mapping[str, Dim]) -> TensorType:
    return TensorType(type_.dtype, tuple(substitute(dim, names) for dim in type_.shape))
