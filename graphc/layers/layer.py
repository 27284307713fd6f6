"""The base of all layers and models: weights, calls on arrays and on symbolic tensors, configuration."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np

from graphc import constraints, initializers, regularizers
from graphc.custom_objects import registered_module
from graphc.errors import ArgumentError, DTypeError, GraphcError, NotBuiltError, ShapeError
from graphc.ir.dtypes import is_float, standardize_dtype
from graphc.ir.graph import Graph, Origin
from graphc.ir.types import TensorType
from graphc.layers.input_spec import check_input_spec
from graphc.layers.scope import current_path, current_training, layer_scope
from graphc.layers.structure import flatten, map_structure
from graphc.layers.symbolic import LayerCall, SymbolicTensor, public_shape
from graphc.naming import auto_name, snake_case
from graphc.ops.functional import dispatch
from graphc.ops.functional.tracing import TracedTensor, Tracer, current_tracer, untraced
from graphc.ops.functional.variable import Variable

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LEAF_TYPES = (str, bytes, int, float, bool, type(None), np.ndarray, np.generic)


class Layer:
    """A computation with weights, written once and usable on arrays, symbolic tensors and inside other layers.

    Subclasses create weights in ``build(input_shape)`` (or ``__init__``) with `add_weight`, and compute in
    ``call(inputs, training=None, mask=None)`` with functions of `graphc.ops`. Shapes given to ``build`` hold None where a
    length is known only when data comes.

    Args:
        activity_regularizer: a regularizer of the layer's output, added to the loss.
        trainable: whether training updates the weights.
        dtype: the dtype of weights and computation; float32 by default.
        autocast: whether float inputs are cast to the layer's dtype.
        name: the layer's name; made from the class's name by default.
    """

    _constructor_arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _origin: tuple[str, int]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        # What the constructor received is the configuration of a layer that does not write its own get_config.
        layer._constructor_arguments = (args, kwargs)
        layer._origin = _user_line()
        return layer

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        input_shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            input_shape = (kwargs.pop("input_dim"),)
        batch_shape = kwargs.pop("batch_input_shape", None)
        if kwargs:
            raise ArgumentError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        if name is not None and (not isinstance(name, str) or not name or "/" in name or not name.isprintable()):
            raise ArgumentError(f"A layer's name must be a printable string without '/'; got name={name!r}.")
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self.built = False
        self.supports_masking = getattr(type(self), "supports_masking", False)
        self.input_spec: Any = None
        self._dtype = policy_dtype(dtype)
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []
        self._calls: list[LayerCall] = []
        self._losses: list[Any] = []
        # Keras 2's way of telling a Sequential model its input.
        self._declared_batch_shape = batch_shape or ((None, *input_shape) if input_shape is not None else None)

    # -- weights ----------------------------------------------------------------------------------------------------

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

    def sublayers(self) -> list[Layer]:
        """The layers that this one holds as attributes (also in lists, tuples and dicts), in order of assignment."""
        found: dict[int, Layer] = {}
        for item in _attribute_leaves(self):
            if isinstance(item, Layer) and item is not self:
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
        found: dict[int, Layer] = {}
        todo: list[Layer] = [self]
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

    # -- calling ----------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Create the weights. Shapes hold None where a length is not fixed; several inputs come as a list or dict."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be written by subclasses."""
        raise GraphcError(
            f"Layer {type(self).__name__} does not define `call(self, inputs)`, which computes its output."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._check_initialized()
        leaves = flatten((args, kwargs))
        if any(isinstance(x, SymbolicTensor) for x in leaves):
            return self._call_symbolically(args, kwargs)
        return self._call_with_numbers(args, kwargs)

    def _call_with_numbers(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call on arrays (computed at once) or on traced tensors (emitted)."""
        args, kwargs = self._prepare_arguments(args, kwargs)
        training = self._resolve_training(args, kwargs)
        tracer = current_tracer()
        with layer_scope(self.name, training):
            self._build_once(args, kwargs)
            if tracer is None:
                return self.call(*args, **kwargs)
            with tracer.builder.origin(Origin("/".join(current_path()), *self._origin)):
                outputs = self.call(*args, **kwargs)
                self._add_activity_loss(tracer, outputs)
                return outputs

    def _prepare_arguments(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = map_structure(self._to_tensor, args), map_structure(self._to_tensor, kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None and first is not None:
            check_input_spec(self.input_spec, first, self.name)
        return args, kwargs

    def _to_tensor(self, x: Any) -> Any:
        if isinstance(x, TracedTensor | np.ndarray | Variable):
            if self.autocast and is_float(self._dtype) and dispatch.dtype_of(x) != self._dtype and _is_float_tensor(x):
                return dispatch.cast_to(x, self._dtype)
            return x
        return x

    def _resolve_training(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | None:
        """Fill in ``training`` if ``call`` takes it: the caller's word, else the surrounding call's, else False."""
        if "training" not in self._call_parameters:
            kwargs.pop("training", None)
            return None
        given = kwargs.get("training")
        position = self._call_parameters.index("training")
        if given is None and len(args) > position:
            given = args[position]
        if given is None:
            tracer = current_tracer()
            given = current_training()
            if given is None:
                given = tracer.training if tracer is not None else False
            if len(args) <= position:
                kwargs["training"] = given
        return bool(given)

    @cached_property
    def _call_parameters(self) -> list[str]:
        return list(inspect.signature(self.call).parameters)

    def _build_once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        parameters = [
            p for p in inspect.signature(self.build).parameters.values() if p.default is inspect.Parameter.empty
        ]
        given = dict(zip(self._call_parameters, args, strict=False)) | kwargs
        if len(parameters) > 1:
            # build(self, query_shape, value_shape): one shape for each argument of call.
            shapes = [_shapes(given.get(p.name.removesuffix("_shape"))) for p in parameters]
        else:
            shapes = [_shapes(args[0] if args else next(iter(kwargs.values()), None))]
        self.build_with_shapes(*shapes)

    def build_with_shapes(self, *shapes: Any) -> None:
        """Run ``build`` once and remember the shapes, which saved models hold."""
        self._build_shapes = shapes
        with untraced():  # weights are made now, with numbers, whatever is being traced
            self.build(*shapes)
        self.built = True

    def _call_symbolically(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = LayerCall(self, args, dict(kwargs), index=len(self._calls))
        outputs = self.compute_output_spec(*args, **kwargs)
        call.outputs = outputs
        for i, tensor in enumerate(flatten(outputs)):
            tensor.call, tensor.index = call, i
        self._calls.append(call)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call gives, without history: ``call`` is traced into a graph that is thrown away.

        Raises:
            GraphcError: shapes or dtypes do not fit, in the layer's terms.
        """
        graph = Graph("spec")
        tracer = Tracer(graph, training=bool(current_training()))
        traced: dict[int, TracedTensor] = {}

        def trace(x: Any) -> Any:
            if not isinstance(x, SymbolicTensor):
                return x
            if id(x) not in traced:
                traced[id(x)] = tracer.wrap(tracer.builder.input(f"input_{len(traced)}", x.type))
            return traced[id(x)]

        with tracer.active():
            outputs = self._call_with_numbers(map_structure(trace, args), map_structure(trace, dict(kwargs)))
        if not flatten(outputs):
            raise GraphcError(f"`call` of layer {self.name!r} returned {outputs!r}; it must return tensors.")
        return map_structure(lambda x: SymbolicTensor(tracer.value_of(x).type), outputs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for input shapes with None where a length is not fixed."""
        shapes = [*args, *kwargs.values()]

        def as_tensor(shape: Any) -> Any:
            if isinstance(shape, dict):
                return {k: as_tensor(v) for k, v in shape.items()}
            if isinstance(shape, list) and shape and not all(d is None or isinstance(d, int) for d in shape):
                return [as_tensor(s) for s in shape]
            if isinstance(shape, tuple) and any(isinstance(s, list | tuple) for s in shape):
                return [as_tensor(s) for s in shape]
            lengths = [f"dim{i}" if d is None else d for i, d in enumerate(shape)]
            if lengths and lengths[0] == "dim0":
                lengths[0] = "batch"
            return SymbolicTensor(TensorType.of(self._dtype, lengths))

        outputs = self.compute_output_spec(*(as_tensor(s) for s in shapes))
        return map_structure(lambda t: t.shape, outputs)

    def _add_activity_loss(self, tracer: Tracer, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        from graphc.ops import functional

        for x in flatten(outputs):
            batch = functional.cast(dispatch.apply("DimSize", dim=functional.shape(x)[0]), x.dtype)
            tracer.losses.append(tracer.value_of(functional.divide(self.activity_regularizer(x), batch)))

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss of the model that this call is part of.

        Raises:
            ArgumentError: called outside of ``call`` on a model that is being traced for training.
        """
        tracer = current_tracer()
        for item in flatten(loss):
            if tracer is not None:
                from graphc.ops import functional

                tracer.losses.append(tracer.value_of(functional.sum(item)))
            else:
                self._losses.append(item)

    def _check_initialized(self) -> None:
        if "_calls" not in self.__dict__:
            raise GraphcError(
                f"Layer {type(self).__name__} was used before Layer.__init__ ran. "
                "Start its __init__ with `super().__init__()`."
            )

    # -- the layer graph --------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """The dtype of the layer's weights."""
        return self._dtype

    compute_dtype = dtype
    variable_dtype = dtype

    @property
    def inbound_nodes(self) -> list[LayerCall]:
        """The calls of this layer on symbolic tensors, in order."""
        return list(self._calls)

    def _call_at(self, node_index: int, what: str) -> LayerCall:
        if not self._calls:
            raise AttributeError(f"Layer {self.name!r} has never been called on an Input, so it has no {what}.")
        if not -len(self._calls) <= node_index < len(self._calls):
            raise ArgumentError(
                f"Layer {self.name!r} was called {len(self._calls)} times; there is no {what} at node {node_index}."
            )
        return self._calls[node_index]

    def get_input_at(self, node_index: int) -> Any:
        """The input of the layer's call number ``node_index``."""
        return self._call_at(node_index, "input").inputs

    def get_output_at(self, node_index: int) -> Any:
        """The output of the layer's call number ``node_index``."""
        return self._call_at(node_index, "output").outputs

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape of the layer's call number ``node_index``."""
        return map_structure(lambda t: t.shape, self.get_input_at(node_index))

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape of the layer's call number ``node_index``."""
        return map_structure(lambda t: t.shape, self.get_output_at(node_index))

    def _only(self, what: str) -> LayerCall:
        if len(self._calls) > 1:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is ill-defined. '
                f"Use `get_{what}_at(node_index)` instead."
            )
        return self._call_at(0, what)

    @property
    def input(self) -> Any:
        """The input of the only call."""
        return self._only("input").inputs

    @property
    def output(self) -> Any:
        """The output of the only call."""
        return self._only("output").outputs

    def _common_shape(self, what: str) -> Any:
        self._call_at(0, what)
        at = self.get_input_shape_at if what == "input" else self.get_output_shape_at
        shapes = [at(i) for i in range(len(self._calls))]
        if any(s != shapes[0] for s in shapes):
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes with different {what} shapes, hence the notion of "layer '
                f'{what} shape" is ill-defined. Use `get_{what}_shape_at(node_index)` instead.'
            )
        return shapes[0]

    @property
    def input_shape(self) -> Any:
        """The input shape, when all calls have the same."""
        return self._common_shape("input")

    @property
    def output_shape(self) -> Any:
        """The output shape, when all calls have the same."""
        return self._common_shape("output")

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make a layer like this one, without its weights.

        Raises:
            GraphcError: a custom layer whose constructor took things that a configuration cannot hold, and that does not
                write its own ``get_config``.
        """
        config = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policy_config(self._dtype)}
        if registered_module(type(self)) is None and type(self).get_config is Layer.get_config:
            config |= self._constructor_config()
        return config

    def _constructor_config(self) -> dict[str, Any]:
        args, kwargs = self._constructor_arguments
        names = [p for p in inspect.signature(type(self).__init__).parameters if p != "self"]
        given = dict(zip(names, args, strict=False)) | kwargs
        for name, value in given.items():
            if not all(isinstance(v, str | int | float | bool | None) for v in flatten(value)):
                raise GraphcError(
                    f"Layer {type(self).__name__} cannot be saved: its constructor took {name}={value!r:.60}, which is not "
                    "plain data. Write `get_config(self)`, which returns the constructor's arguments as plain data."
                )
        return {k: v for k, v in given.items() if k not in ("name", "trainable", "dtype")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what `get_config` gave."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` saw; None when the layer is not built."""
        shapes = getattr(self, "_build_shapes", None)
        if not shapes:
            return None
        return {"input_shape": shapes[0]} if len(shapes) == 1 else {"shapes": list(shapes)}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build from what `get_build_config` gave."""
        if not self.built and config.get("input_shape") is not None:
            shape = _tuples(config["input_shape"])
            with layer_scope(self.name, None):
                self.build_with_shapes(shape)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def policy_dtype(dtype: Any) -> str:
    """The dtype that a layer's ``dtype`` argument stands for: a name, a Keras ``DTypePolicy`` configuration, or None."""
    if dtype is None:
        return "float32"
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name", dtype)
    return standardize_dtype(dtype)


def dtype_policy_config(dtype: str) -> dict[str, Any]:
    """A dtype as Keras writes it into a layer's configuration."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}


def _is_float_tensor(x: Any) -> bool:
    return is_float(dispatch.dtype_of(x))


def _shapes(tensors: Any) -> Any:
    """The nesting of tensors as shapes with None for lengths that are not fixed."""

    def shape(x: Any) -> Any:
        if isinstance(x, TracedTensor):
            return public_shape(x.type)
        return tuple(np.shape(x.array if isinstance(x, Variable) else x))

    return map_structure(shape, tensors)


def _tuples(shape: Any) -> Any:
    """JSON's lists of lengths as the tuples that `build` expects."""
    if isinstance(shape, dict):
        return {k: _tuples(v) for k, v in shape.items()}
    if isinstance(shape, list) and any(isinstance(d, list) for d in shape):
        return [_tuples(s) for s in shape]
    return tuple(shape) if isinstance(shape, list) else shape


def _attribute_leaves(layer: Layer) -> Iterator[Any]:
    for name, value in vars(layer).items():
        if name in _NOT_PARTS or isinstance(value, _LEAF_TYPES):
            continue
        for item in flatten(value):
            if isinstance(item, Layer | Variable):
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


def _user_line() -> tuple[str, int]:
    """The file and line of the nearest caller outside graphc: kept in memory only, for error messages."""
    frame = sys._getframe(2)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        frame = frame.f_back  # type: ignore[assignment]
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)
