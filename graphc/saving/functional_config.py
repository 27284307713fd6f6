"""Functional and sequential models as configurations, in Keras 3's schema, and back."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from graphc.custom_objects import get_registered_name, registered_module
from graphc.errors import ArgumentError, GraphcError, ModelFileError
from graphc.functional import Functional
from graphc.layers import LAYERS
from graphc.layers.input_layer import InputLayer
from graphc.layers.layer import Layer, dtype_policy_config
from graphc.layers.operation import Operation, operation_class_name
from graphc.layers.structure import flatten
from graphc.layers.symbolic import LayerCall, SymbolicTensor
from graphc.ops.functional import FUNCTIONS
from graphc.saving.class_lookup import find_layer_class, keras_module, operation_function
from graphc.saving.json_values import from_json_value, index_tuple, to_json_value
from graphc.sequential import Sequential

# Parameters of ops functions that Keras stores as arguments of the call, not in the operation's configuration.
_CALL_PARAMETERS = frozenset({"x", "x1", "x2", "xs", "key", "condition", "inputs", "indices", "arrays", "operands"})


def layer_object(layer: Layer) -> dict[str, Any]:
    """One layer as Keras's serialised object: module, class name, configuration, build configuration."""
    if isinstance(layer, Functional):
        head = {"module": "keras.src.models.functional", "class_name": "Functional"}
        return {
            **head,
            "config": layer.get_config(),
            "registered_name": "Functional",
            "build_config": {"input_shape": None},
        }
    cls = type(layer)
    if isinstance(layer, Sequential):
        entry: dict[str, Any] = {"module": "keras", "class_name": "Sequential", "config": layer.get_config()}
        entry["registered_name"] = None
        if layer._functional is not None:
            entry["build_config"] = {"input_shape": list(layer.input_shape)}
        return entry
    if LAYERS.get(cls.__name__) is cls:
        entry = {
            "module": "keras.layers",
            "class_name": cls.__name__,
            "config": layer.get_config(),
            "registered_name": None,
        }
    else:
        module = registered_module(cls) or cls.__module__
        entry = {
            "module": None if module == "__main__" else module,
            "class_name": cls.__name__,
            "config": layer.get_config(),
            "registered_name": get_registered_name(cls),
        }
    build = layer.get_build_config()
    if build is not None and not isinstance(layer, InputLayer):
        entry["build_config"] = _lists(build)
    return entry


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def functional_config(model: Functional) -> dict[str, Any]:
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
            entry = layer_object(layer)
            if isinstance(layer, Functional | Sequential):
                entry["compile_config"] = {}
            nodes = [] if isinstance(layer, InputLayer) else [_node(c.args, _with_mask(c), history) for c in calls]
        layers.append({**entry, "name": layer.name, "inbound_nodes": nodes})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _places(model._input_structure, place),
        "output_layers": _places(model._output_structure, place),
    }


def _with_mask(call: LayerCall) -> dict[str, Any]:
    """The keyword arguments of a call; for a layer that takes a mask and got no others, Keras writes ``mask: None``."""
    if call.kwargs or "mask" not in call.layer._call_parameters:
        return dict(call.kwargs)
    return {"mask": None}


def _node(args: Any, kwargs: Mapping[str, Any], history: Any) -> dict[str, Any]:
    return {"args": to_json_value(list(args), history), "kwargs": to_json_value(dict(kwargs), history)}


def _places(structure: Any, place: Any) -> Any:
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


def functional_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Functional:
    """A functional model with new weights.

    Raises:
        ModelFileError: the configuration is malformed, or names an unknown class, layer or tensor.
    """
    return _Reader(config, custom_objects).read()


class _Reader:
    """Makes the layers, then repeats their calls as soon as the tensors they need are there."""

    def __init__(self, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> None:
        self.config, self.custom_objects = config, custom_objects
        self.layers: dict[str, Layer] = {}
        self.first_call: dict[str, int] = {}

    def read(self) -> Functional:
        """The model."""
        entries = self.config.get("layers")
        if not isinstance(entries, list) or not entries:
            raise ModelFileError("A functional model's configuration must hold a list `layers`.")
        pending: list[tuple[str, Mapping[str, Any]]] = []
        for entry in entries:
            pending += self._make(entry)
        self._replay(pending)
        inputs = self._structure(self.config.get("input_layers"))
        outputs = self._structure(self.config.get("output_layers"))
        name = self.config.get("name")
        model = Functional(inputs, outputs, name=name)
        if self.config.get("trainable") is False:
            model.trainable = False
        return model

    def _make(self, entry: Any) -> list[tuple[str, Mapping[str, Any]]]:
        if not isinstance(entry, Mapping):
            raise ModelFileError(f"An entry of `layers` must be an object; found {entry!r:.60}.")
        layer = layer_from_object(entry, self.custom_objects)
        name = entry.get("name", layer.name)
        if name in self.layers:
            raise ModelFileError(f"Two layers are named {name!r}.")
        self.layers[name] = layer
        self.first_call[name] = len(layer._calls)
        if isinstance(layer, InputLayer):
            self.first_call[name] = 0
            return []
        nodes = entry.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise ModelFileError(f"Layer {name!r}: `inbound_nodes` must be a list.")
        return [(name, _modern_node(node, name)) for node in nodes]

    def _replay(self, pending: list[tuple[str, Mapping[str, Any]]]) -> None:
        while pending:
            waiting: list[tuple[str, Mapping[str, Any]]] = []
            blocked: set[str] = set()  # calls of one layer keep their order
            for name, node in pending:
                if name in blocked or not self._call(name, node):
                    blocked.add(name)
                    waiting.append((name, node))
            if len(waiting) == len(pending):
                names = sorted({name for name, _ in waiting})
                raise ModelFileError(
                    f"The calls of layers {names[:5]} wait for each other or for layers that do not exist."
                )
            pending = waiting

    def _call(self, name: str, node: Mapping[str, Any]) -> bool:
        layer = self.layers[name]
        try:
            args = from_json_value(node.get("args", []), self._tensor, f"layer {name!r}")
            kwargs = from_json_value(node.get("kwargs", {}), self._tensor, f"layer {name!r}")
        except _NotYet:
            return False
        kwargs = {k: v for k, v in kwargs.items() if not (k == "mask" and v is None)}
        if isinstance(layer, Operation):
            args = [index_tuple(a) for a in args]
        try:
            layer(*args, **kwargs)
        except GraphcError as error:
            raise ModelFileError(f"Layer {name!r} cannot be connected: {error}") from error
        return True

    def _tensor(self, history: Any, offset_functional: bool = False) -> SymbolicTensor:
        if not isinstance(history, list) or len(history) < 3 or not isinstance(history[0], str):
            raise ModelFileError(f"A tensor is named by [layer, call, output]; found {history!r:.60}.")
        name, index, output = history[:3]
        if name not in self.layers:
            raise ModelFileError(f"A tensor comes from layer {name!r}, which does not exist.")
        layer = self.layers[name]
        if any(isinstance(i, bool) or not isinstance(i, int) or i < 0 for i in (index, output)):
            raise ModelFileError(f"A tensor's call and output must be counted from 0; found {history!r:.60}.")
        if offset_functional and isinstance(layer, Functional):
            index -= 1
        calls = layer._calls[self.first_call[name] :]
        if not 0 <= index < len(calls):
            raise _NotYet
        tensors = calls[index].output_tensors
        if output >= len(tensors):
            raise ModelFileError(f"Layer {name!r} has {len(tensors)} outputs; output {output} was asked for.")
        return tensors[output]

    def _structure(self, places: Any) -> Any:
        if isinstance(places, dict):
            return {k: self._structure(v) for k, v in places.items()}
        if isinstance(places, list) and places and isinstance(places[0], str):
            try:
                return self._tensor(places, offset_functional=True)
            except _NotYet:
                raise ModelFileError(f"The model's inputs or outputs name {places!r}, which does not exist.") from None
        if isinstance(places, list) and places:
            return [self._structure(v) for v in places]
        raise ModelFileError(f"`input_layers` and `output_layers` must name tensors; found {places!r:.60}.")


class _NotYet(Exception):
    """A tensor that a later call will make."""


def _modern_node(node: Any, name: str) -> Mapping[str, Any]:
    """A call in Keras 3's form; Keras 2's ``[["input_1", 0, 0, {}]]`` is translated."""
    if isinstance(node, Mapping):
        return node
    if not isinstance(node, list) or not all(isinstance(t, list) and len(t) >= 3 for t in node):
        raise ModelFileError(f"Layer {name!r}: a call must be an object with `args` and `kwargs`.")
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": t[:3]}} for t in node]
    kwargs = node[0][3] if node and len(node[0]) > 3 and isinstance(node[0][3], dict) else {}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}


def layer_from_object(entry: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """A layer or model, with new weights, from a serialised object.

    Raises:
        ModelFileError: the class is unknown, or the configuration does not fit it.
    """
    class_name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(class_name, str) or not isinstance(config, Mapping):
        raise ModelFileError(f"A layer must have a `class_name` and a `config`; found {str(dict(entry))[:80]}.")
    module = entry.get("module")
    if isinstance(module, str) and ".ops." in module:
        return _operation_from(class_name, config)
    if class_name in ("Functional", "Model") and "layers" in config:
        return functional_from_config(config, custom_objects)
    if class_name == "Sequential":
        return sequential_from_config(config, custom_objects)
    cls = find_layer_class(class_name, entry.get("registered_name"), custom_objects)
    name = config.get("name")
    if name is not None and (not isinstance(name, str) or not name or not name.isprintable()):
        raise ModelFileError(f"A layer's name must be printable text; found {name!r:.60}.")
    try:
        layer: Layer = cls.from_config(dict(config))
        build = entry.get("build_config")
        if isinstance(build, Mapping):
            layer.build_from_config(build)
    except (TypeError, ArgumentError) as error:
        raise ModelFileError(f"The configuration of {class_name} {name!r} does not fit: {error}") from error
    return layer


def _operation_from(class_name: str, config: Mapping[str, Any]) -> Operation:
    function = operation_function(class_name, FUNCTIONS)
    allowed = set(inspect.signature(function).parameters)
    fixed = {k: v for k, v in config.items() if k != "name" and k in allowed}
    if unknown := [k for k in config if k not in allowed and k not in ("name", "trainable", "dtype")]:
        raise ModelFileError(f"Operation {class_name} has no argument {unknown[0]!r}.")
    return Operation(function, name=config.get("name"), fixed=fixed)


def sequential_config(model: Sequential) -> dict[str, Any]:
    """Name, dtype, layers in order, and the input shape when it is known."""
    config: dict[str, Any] = {
        "name": model.name,
        "trainable": model.trainable,
        "dtype": dtype_policy_config(model.dtype),
    }
    config["layers"] = [layer_object(layer) for layer in model._stack]
    if model._functional is not None:
        config["build_input_shape"] = list(model.input_shape)
    return config


def sequential_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """A sequential model with new weights.

    Raises:
        ModelFileError: the configuration is malformed.
    """
    entries = config.get("layers")
    if not isinstance(entries, list):
        raise ModelFileError("A sequential model's configuration must hold a list `layers`.")
    model = Sequential(name=config.get("name"))
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise ModelFileError(f"An entry of `layers` must be an object; found {entry!r:.60}.")
        try:
            model.add(layer_from_object(entry, custom_objects))
        except ModelFileError:
            raise
        except GraphcError as error:
            raise ModelFileError(f"Sequential model {config.get('name')!r} cannot be built: {error}") from error
    shape = config.get("build_input_shape")
    if model._functional is None and isinstance(shape, list) and entries:
        model.build(tuple(shape))
    if config.get("trainable") is False:
        model.trainable = False
    return model
