"""``clone_model``: a model of the same architecture with new layers, or with layers that the caller chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError
from graphc.functional import Functional, has_functional_constructor
from graphc.layers.input_layer import Input, InputLayer
from graphc.layers.layer import Layer
from graphc.layers.operation import Operation
from graphc.layers.symbolic import SymbolicTensor
from graphc.model import Model
from graphc.nesting import Task, run
from graphc.sequential import Sequential
from graphc.serialization import custom_objects_of, deserialize_keras_object, serialize_keras_object
from graphc.structure import flatten, map_structure

CloneFunction = Callable[[Layer], Layer]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same architecture with new weights.

    Args:
        model: a functional or sequential model; of a model with a ``call`` of its own, only the constructor is repeated.
        input_tensors: tensors to build the clone on, in the nesting of the model's inputs; new inputs by default.
        clone_function: ``layer -> layer``; by default a new layer of the same configuration. Inputs and calls of functions of
            `graphc.ops`, which have no weights, are always made anew.
        call_function: ``(layer, *args, **kwargs) -> outputs``, called instead of the layer; functional models only.
        recursive: whether the layers of models inside are cloned by these functions too, rather than the model as a whole.

    Raises:
        ArgumentError: a function or tensors for a model that cannot use them, or tensors in another nesting.
    """
    if kwargs:
        raise ArgumentError(f"Unexpected keyword argument(s) of clone_model: {list(kwargs)}.")
    if not isinstance(model, Model):
        raise ArgumentError(f"`clone_model` takes a model; got {type(model).__name__}.")
    if isinstance(model, Sequential) and call_function is not None:
        raise ArgumentError(
            f"`call_function` works on functional models; {model.name!r} is a Sequential model, whose layers are listed, not "
            "called."
        )
    cloner = _Cloner(clone_function, call_function, recursive)
    with custom_object_scope(custom_objects_of(model)):
        if isinstance(model, Functional | Sequential):
            return run(cloner.model(model, input_tensors))
        if clone_function is not None or input_tensors is not None or call_function is not None:
            raise ArgumentError(
                f"`clone_function`, `call_function` and `input_tensors` work on functional and sequential models; "
                f"{model.name!r} is a {type(model).__name__} with a `call` of its own."
            )
        return deserialize_keras_object(serialize_keras_object(model))


class _Cloner:
    """Clones each layer once, also where several models share it."""

    def __init__(
        self, clone_function: CloneFunction | None, call_function: Callable[..., Any] | None, recursive: bool
    ) -> None:
        self.clone_function, self.call_function, self.recursive = clone_function, call_function, recursive
        self.clones: dict[int, tuple[Layer, Layer]] = {}  # the original is kept, so that its id stays its own

    def model(self, model: Functional | Sequential, input_tensors: Any = None) -> Task[Model]:
        """The clone of a model, compiled as the model is."""
        if isinstance(model, Sequential):
            clone = yield self._sequential(model, input_tensors)
        else:
            clone = yield self._functional(model, input_tensors)
        if model.compiled:
            clone.compile_from_config(model.get_compile_config())
        cloned: Model = clone
        return cloned

    def _layer(self, layer: Layer) -> Task[Layer]:
        if id(layer) not in self.clones:
            if isinstance(layer, Operation):
                clone: Layer = Operation(layer.function, name=layer.name, fixed=layer.fixed)
            elif self.recursive and isinstance(layer, Functional | Sequential):
                clone = yield self.model(layer)
            elif self.clone_function is not None:
                clone = self.clone_function(layer)
            else:
                clone = type(layer).from_config(layer.get_config())
            if not isinstance(clone, Layer):
                raise ArgumentError(
                    f"`clone_function` must return a layer for {layer.name!r}; it returned {clone!r:.60}."
                )
            self.clones[id(layer)] = (layer, clone)
        return self.clones[id(layer)][1]

    def _sequential(self, model: Sequential, input_tensors: Any) -> Task[Sequential]:
        stack: list[Any] = []
        if input_tensors is not None:
            tensors = flatten(input_tensors)
            if len(tensors) != 1 or not isinstance(tensors[0], SymbolicTensor):
                raise ArgumentError(
                    f"`input_tensors` of the Sequential model {model.name!r} must be one symbolic tensor."
                )
            stack.append(_input_like(tensors[0]))
        elif model.sublayers() and isinstance(model.sublayers()[0], InputLayer):
            stack.append(InputLayer.from_config(model.sublayers()[0].get_config()))
        for layer in model.layers:
            stack.append((yield self._layer(layer)))
        return Sequential(stack, name=model.name, trainable=model.trainable)

    def _functional(self, model: Functional, input_tensors: Any) -> Task[Model]:
        inputs = map_structure(_input_like, model.input) if input_tensors is None else input_tensors
        _check_tensors(inputs, model)
        values: dict[int, Any] = dict(zip(map(id, flatten(model.input)), flatten(inputs), strict=True))

        def value(x: Any) -> Any:
            return values[id(x)] if isinstance(x, SymbolicTensor) else x

        for call in model.layer_graph.calls:
            if all(id(t) in values for t in call.output_tensors):
                continue
            layer = yield self._layer(call.layer)
            args, kwargs = map_structure(value, call.args), map_structure(value, dict(call.kwargs))
            if self.call_function is None:
                results = flatten(layer(*args, **kwargs))
            else:
                results = flatten(self.call_function(layer, *args, **kwargs))
            if len(results) != len(call.output_tensors):
                raise ArgumentError(
                    f"The clone of layer {call.layer.name!r} gives {len(results)} tensors; the layer gives "
                    f"{len(call.output_tensors)}."
                )
            values.update(zip(map(id, call.output_tensors), results, strict=True))
        outputs = map_structure(value, model.output)
        # A subclass with a constructor of its own cannot be told its inputs and outputs; its layers can live without it.
        cls = type(model) if has_functional_constructor(type(model)) else Functional
        clone: Model = cls(inputs, outputs, name=model.name)
        return clone


def _input_like(tensor: SymbolicTensor) -> SymbolicTensor:
    name = (
        tensor.call.layer.name if tensor.call is not None and isinstance(tensor.call.layer, InputLayer) else tensor.name
    )
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


def _check_tensors(tensors: Any, model: Functional) -> None:
    for tensor in flatten(tensors):
        if not isinstance(tensor, SymbolicTensor):
            raise ArgumentError(f"All entries of `input_tensors` must be symbolic tensors; found {tensor!r:.60}.")
    if _nesting(tensors) != _nesting(model.input):
        raise ArgumentError(
            f"`input_tensors` must be nested like the inputs of model {model.name!r}: {_nesting(model.input)}. "
            f"Received: {_nesting(tensors)}."
        )


def _nesting(structure: Any) -> Any:
    """The nesting with every tensor as its place holder; lists and tuples are the same."""
    shown = map_structure(lambda _: "tensor", structure)
    return list(shown) if isinstance(shown, tuple) else shown
