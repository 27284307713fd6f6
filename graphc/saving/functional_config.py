"""Functional models as configurations, in Keras 3's schema, and back. Models within models cost no Python stack."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from graphc.errors import GraphcError, ModelFileError
from graphc.functional import Functional
from graphc.layers.input_layer import InputLayer
from graphc.layers.layer import Layer
from graphc.layers.operation import Operation, operation_class_name
from graphc.layers.symbolic import LayerCall, SymbolicTensor
from graphc.model import Model
from graphc.nesting import Task
from graphc.saving.json_values import from_json_value, index_tuple, to_json_value
from graphc.saving.operation_names import keras_module, operation_function
from graphc.serialization import layer_entry_task, layer_task
from graphc.structure import flatten

Node = Mapping[str, Any]

# Parameters of ops functions that Keras stores as arguments of the call, not in the operation's configuration.
_CALL_PARAMETERS = frozenset({"x", "x1", "x2", "xs", "key", "condition", "inputs", "indices", "arrays", "operands"})


# -- writing ----------------------------------------------------------------------------------------------------------


def functional_config_task(model: Functional) -> Task[dict[str, Any]]:
    """Name, layers with their calls, and where inputs and outputs are."""
    graph = model.layer_graph
    calls_of: dict[int, list[LayerCall]] = {}
    for call in sorted(graph.calls, key=lambda c: c.index):
        calls_of.setdefault(id(call.layer), []).append(call)
    number = {id(call): i for calls in calls_of.values() for i, call in enumerate(calls)}

    def history(tensor: SymbolicTensor) -> list[Any]:
        assert tensor.call is not None
        return [tensor.call.layer.name, number[id(tensor.call)], tensor.index]

    def place(tensor: SymbolicTensor) -> list[Any]:
        # Keras counts the making of a nested functional model as its call number 0, here but not in `inbound_nodes`.
        name, index, output = history(tensor)
        assert tensor.call is not None
        return [name, index + isinstance(tensor.call.layer, Functional), output]

    layers = []
    for layer in graph.layers:
        calls = calls_of.get(id(layer), [])
        if isinstance(layer, Operation):
            entry, nodes = _operation_entry(layer, calls, history)
        else:
            entry = yield layer_entry_task(layer)
            nodes = [] if isinstance(layer, InputLayer) else [_node(c.args, c.kwargs, history) for c in calls]
        # Not a copy: what is found to be shared later is marked in this very entry.
        entry["name"] = layer.name
        entry["inbound_nodes"] = nodes
        layers.append(entry)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _places(model._input_structure, place),
        "output_layers": _places(model._output_structure, place),
    }


def _node(args: Any, kwargs: Mapping[str, Any], history: Any) -> dict[str, Any]:
    return {"args": to_json_value(list(args), history), "kwargs": to_json_value(dict(kwargs), history)}


def _places(structure: Any, place: Callable[[SymbolicTensor], list[Any]]) -> Any:
    if isinstance(structure, SymbolicTensor):
        return place(structure)
    if isinstance(structure, dict):
        return {k: _places(v, place) for k, v in structure.items()}
    return [_places(v, place) for v in structure]


def _operation_entry(
    layer: Operation, calls: list[LayerCall], history: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Keras keeps tensors in the call and every other argument in the operation's configuration."""
    signature = inspect.signature(layer.function)
    config: dict[str, Any] = {"name": layer.name}
    nodes = []
    for call in calls:
        bound = signature.bind(*call.args, **{**layer.fixed, **call.kwargs})
        bound.apply_defaults()
        args = []
        for name, value in bound.arguments.items():
            tensors = any(isinstance(v, SymbolicTensor) for v in flatten(value))
            if tensors or name in _CALL_PARAMETERS:
                args.append(value)
            else:
                config[name] = to_json_value(value, history)
        nodes.append(_node(args, {}, history))
    class_name = operation_class_name(layer.function)
    entry = {
        "module": keras_module(class_name),
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }
    return entry, nodes


# -- reading ----------------------------------------------------------------------------------------------------------


def functional_task(cls: type[Model], config: Mapping[str, Any]) -> Task[Model]:
    """A functional model of class ``cls`` with new weights.

    Raises:
        ModelFileError: the configuration is malformed, or names an unknown class, layer or tensor.
    """
    return _Reader(config).read(cls)


class _Reader:
    """Makes the layers, then repeats their calls as soon as the tensors they need are there."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.name = config.get("name")
        self.layers: dict[str, Layer] = {}
        # The calls inside this model: a layer that is shared with another model has calls there too.
        self.calls: dict[str, list[LayerCall]] = {}

    def read(self, cls: type[Model]) -> Task[Model]:
        """The model."""
        entries = self.config.get("layers")
        if not isinstance(entries, list) or not entries:
            raise ModelFileError("A functional model's configuration must hold a list `layers`.")
        pending: dict[str, list[Node]] = {}
        for entry in entries:
            name = yield self._make(entry)
            pending[name] = self._nodes_of(entry, name)
        self._replay(pending)
        inputs = self._structure(self.config.get("input_layers"))
        outputs = self._structure(self.config.get("output_layers"))
        own = {k: v for k, v in self.config.items() if k not in _FUNCTIONAL_KEYS}
        try:
            model = cls(inputs=inputs, outputs=outputs, name=self.name, **own)
        except ModelFileError:
            raise
        except (GraphcError, TypeError) as error:
            raise ModelFileError(f"Model {self.name!r} cannot be built: {error}") from error
        if self.config.get("trainable") is False:
            model.trainable = False
        return model

    def _make(self, entry: Any) -> Task[str]:
        if not isinstance(entry, Mapping):
            raise ModelFileError(f"An entry of `layers` must be an object; found {entry!r:.60}.")
        module = entry.get("module")
        if isinstance(module, str) and ".ops." in module:
            layer: Layer = _operation_from(entry)
        else:
            layer = yield layer_task(entry)
        name = entry.get("name", layer.name)
        if not isinstance(name, str):
            raise ModelFileError(f"A layer's name must be text; found {name!r:.60}.")
        if name in self.layers:
            raise ModelFileError(f"Two layers are named {name!r}.")
        self.layers[name] = layer
        self.calls[name] = list(layer._calls[:1]) if isinstance(layer, InputLayer) else []
        return name

    def _nodes_of(self, entry: Mapping[str, Any], name: str) -> list[Node]:
        if isinstance(self.layers[name], InputLayer):
            return []
        nodes = entry.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise ModelFileError(f"Layer {name!r}: `inbound_nodes` must be a list.")
        return [_modern_node(node, name) for node in nodes]

    def _replay(self, pending: dict[str, list[Node]]) -> None:
        """Repeat the calls: those of one layer in their order, each as soon as what it takes has been made."""
        waiting: dict[str, list[str]] = {}  # a layer's name to those whose next call waits for a call of it
        done = dict.fromkeys(pending, 0)
        ready = list(reversed(pending))
        while ready:
            name = ready.pop()
            while done[name] < len(pending[name]):
                missing = self._call(name, pending[name][done[name]])
                if missing is not None:
                    waiting.setdefault(missing, []).append(name)
                    break
                done[name] += 1
                ready += reversed(waiting.pop(name, []))
        stuck = [name for name, nodes in pending.items() if done[name] < len(nodes)]
        if stuck:
            raise ModelFileError(
                f"Model {self.name!r}: the calls of layers {stuck[:5]} can never be made. They go in a circle, or wait for "
                "calls that the file does not hold."
            )

    def _call(self, name: str, node: Node) -> str | None:
        """Repeat one call, or name the layer whose call has to come first."""
        layer = self.layers[name]
        try:
            args = from_json_value(node.get("args", []), self._tensor, f"layer {name!r}")
            kwargs = from_json_value(node.get("kwargs", {}), self._tensor, f"layer {name!r}")
        except _NotYet as missing:
            return missing.layer
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ModelFileError(f"Layer {name!r}: a call must hold a list `args` and an object `kwargs`.")
        if kwargs.get("mask", layer) is None and "mask" not in layer._call_parameters:
            del kwargs["mask"]  # Keras's layer of that name takes one, and was given none
        if isinstance(layer, Operation):
            args = [index_tuple(a) for a in args]
        before = len(layer._calls)
        try:
            layer(*args, **kwargs)
        except ModelFileError:
            raise
        except Exception as error:  # whatever a layer makes of arguments that nobody checked
            raise ModelFileError(f"Layer {name!r} cannot be connected: {error}") from error
        if len(layer._calls) == before:
            raise ModelFileError(f"Layer {name!r} cannot be connected: a call holds no tensor.")
        self.calls[name].append(layer._calls[-1])
        return None

    def _tensor(self, history: Any, counted_from: int = 0) -> SymbolicTensor:
        if not isinstance(history, list) or len(history) < 3 or not isinstance(history[0], str):
            raise ModelFileError(f"A tensor is named by [layer, call, output]; found {history!r:.60}.")
        name, index, output = history[:3]
        if name not in self.layers:
            raise ModelFileError(f"A tensor comes from layer {name!r:.60}, which does not exist.")
        if any(isinstance(i, bool) or not isinstance(i, int) or i < 0 for i in (index, output)):
            raise ModelFileError(f"A tensor's call and output must be counted from 0; found {history!r:.60}.")
        calls = self.calls[name]
        if not 0 <= index - counted_from < len(calls):
            raise _NotYet(name)
        tensors = calls[index - counted_from].output_tensors
        if output >= len(tensors):
            raise ModelFileError(f"Layer {name!r} has {len(tensors)} outputs; output {output} was asked for.")
        tensor: SymbolicTensor = tensors[output]
        return tensor

    def _structure(self, places: Any) -> Any:
        if isinstance(places, dict):
            return {k: self._structure(v) for k, v in places.items()}
        if not isinstance(places, list) or not places:
            raise ModelFileError(
                f"`input_layers` and `output_layers` must hold [layer, call, output]; found {places!r:.60}."
            )
        if not isinstance(places[0], str):
            return [self._structure(p) for p in places]
        # The making of a nested functional model counts as its call number 0 here.
        nested = isinstance(self.layers.get(places[0]), Functional)
        try:
            return self._tensor(places, counted_from=int(nested))
        except _NotYet:
            raise ModelFileError(
                f"The model's inputs or outputs name {places!r:.80}, a call that does not exist."
            ) from None


class _NotYet(Exception):
    """A tensor that a later call of ``layer`` will make."""

    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


_FUNCTIONAL_KEYS = frozenset({"name", "trainable", "layers", "input_layers", "output_layers"})


def is_functional_config(config: Mapping[str, Any]) -> bool:
    """True for the configuration of a functional model."""
    return {"name", "layers", "input_layers", "output_layers"} <= config.keys()


def _modern_node(node: Any, name: str) -> Node:
    """A call in Keras 3's form; Keras 2's ``[["input_1", 0, 0, {}]]`` is translated."""
    if isinstance(node, Mapping):
        return node
    if not isinstance(node, list) or not all(isinstance(t, list) and len(t) >= 3 for t in node):
        raise ModelFileError(f"Layer {name!r}: a call must be an object with `args` and `kwargs`.")
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": t[:3]}} for t in node]
    kwargs = node[0][3] if node and len(node[0]) > 3 and isinstance(node[0][3], dict) else {}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}


def _operation_from(entry: Mapping[str, Any]) -> Operation:
    class_name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(class_name, str) or not isinstance(config, Mapping):
        raise ModelFileError(f"An operation must have a `class_name` and a `config`; found {str(dict(entry))[:80]}.")
    function = operation_function(class_name)
    allowed = set(inspect.signature(function).parameters)
    if unknown := [k for k in config if k not in allowed and k not in ("name", "trainable", "dtype")]:
        raise ModelFileError(f"Operation {class_name} has no argument {unknown[0]!r:.60}.")
    where = f"operation {class_name}"
    fixed = {k: from_json_value(v, _no_tensor, where) for k, v in config.items() if k != "name" and k in allowed}
    try:
        return Operation(function, name=config.get("name"), fixed=fixed)
    except GraphcError as error:
        raise ModelFileError(f"Operation {class_name} cannot be made: {error}") from error


def _no_tensor(history: Any) -> Any:
    raise ModelFileError(f"The configuration of an operation holds no tensors; found {history!r:.60}.")
