"""The base of all layers and models: weights, calls on arrays and on symbolic tensors, configuration."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Self

import numpy as np

from graphc import regularizers
from graphc.custom_objects import registered_module
from graphc.errors import ArgumentError, GraphcError
from graphc.ir.dtypes import is_float, standardize_dtype
from graphc.ir.graph import Graph, Origin
from graphc.ir.types import TensorType
from graphc.layers.call_masks import any_mask, masks_of, open_masks, pass_on, take_away
from graphc.layers.input_spec import check_input_spec
from graphc.layers.layer_calls import LayerCalls
from graphc.layers.layer_weights import LayerWeights
from graphc.layers.scope import current_path, current_training, layer_scope
from graphc.layers.symbolic import LayerCall, SymbolicTensor, public_shape
from graphc.naming import auto_name, snake_case
from graphc.ops import functional
from graphc.ops.functional import dispatch
from graphc.ops.functional.masks import get_mask, set_mask
from graphc.ops.functional.tracing import TracedTensor, Tracer, current_tracer, untraced
from graphc.ops.functional.variable import Variable
from graphc.structure import flatten, map_structure

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass
class PreparedCall:
    """A call on arrays or traced tensors, ready to run.

    Attributes:
        args: positional arguments of ``call``.
        kwargs: keyword arguments of ``call``.
        training: what layers inside inherit; None where the layer does not say.
        first: the first argument, whose mask is handed on.
        previous_mask: that mask.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    training: bool | None
    first: Any
    previous_mask: Any


class Layer(LayerWeights, LayerCalls):
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

    supports_masking = False
    """Whether the mask of the input is handed on to the output, through `compute_mask`."""

    _converts_arguments = True
    """Whether float arguments are cast to the layer's dtype; models leave that to the layers inside."""

    _constructor_arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _origin: tuple[str, int]

    _is_built_by_build = True
    """Whether running ``build`` makes all there is to make; models with a ``call`` of their own find out by calling."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _building(vars(cls)["build"])  # type: ignore[method-assign]

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
        self.supports_masking = type(self).supports_masking or type(self).compute_mask is not Layer.compute_mask
        self.input_spec: Any = None
        self._dtype = policy_dtype(dtype)
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []
        self._calls: list[LayerCall] = []
        self._losses: list[Any] = []
        # Keras 2's way of telling a Sequential model its input.
        self._declared_batch_shape = batch_shape or ((None, *input_shape) if input_shape is not None else None)

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
        call = self._prepare_call(args, kwargs)
        with self._inside(call):
            outputs = self.call(*call.args, **call.kwargs)
            self._add_activity_loss(outputs)
            return self._hand_on_mask(call.first, outputs, call.previous_mask)

    def _prepare_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> PreparedCall:
        """Arguments as ``call`` takes them: cast, checked, with the masks and the ``training`` that the caller left open."""
        args, kwargs = self._prepare_arguments(args, kwargs)
        training = self._resolve_training(args, kwargs)
        kwargs |= open_masks(self._call_parameters, args, kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        return PreparedCall(args, kwargs, training, first, self._previous_mask(first, kwargs))

    @contextmanager
    def _inside(self, call: PreparedCall) -> Iterator[None]:
        """What is around the running of ``call``: the path, ``training``, and where emitted nodes come from."""
        tracer = current_tracer()
        with layer_scope(self.name, call.training):
            self._build_once(call.args, call.kwargs)
            if tracer is None:
                self._forget_losses()
                yield
            else:
                with tracer.builder.origin(Origin("/".join(current_path()), *self._origin)):
                    yield

    def _forget_losses(self) -> None:
        """What `add_loss` collects on arrays belongs to the outermost call."""
        if len(current_path()) <= 1:
            for layer in self._flatten_layers():
                layer._losses.clear()

    # -- masks ------------------------------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs, given the mask of the inputs: that one, unless a subclass says otherwise.

        Layers that write their own, or set ``supports_masking``, hand masks on.
        """
        del inputs
        return previous_mask

    def _previous_mask(self, first: Any, kwargs: Mapping[str, Any]) -> Any:
        mask = kwargs.get("mask")
        return masks_of(first) if mask is None else mask

    def _hand_on_mask(self, first: Any, outputs: Any, previous: Any) -> Any:
        if self.supports_masking:
            if all(get_mask(x) is not None for x in flatten(outputs)):
                return outputs
            return pass_on(outputs, self.compute_mask(first, previous))
        if not any_mask(previous):
            return outputs
        if "mask" not in self._call_parameters and current_tracer() is None:
            warnings.warn(
                f"Layer {self.name!r} (of type {type(self).__name__}) does not support masking, so the mask of its input "
                "ends there: the layers behind it do not see it. Set `self.supports_masking = True` in its `__init__` if "
                "the mask also holds for its output, or define `compute_mask`.",
                stacklevel=4,
            )
        return take_away(outputs, flatten(first))

    def _prepare_arguments(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = map_structure(self._to_tensor, args), map_structure(self._to_tensor, kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None and first is not None:
            check_input_spec(self.input_spec, first, self.name)
        return args, kwargs

    def _to_tensor(self, x: Any) -> Any:
        if not isinstance(x, TracedTensor | np.ndarray | Variable) or not self.autocast or not is_float(self._dtype):
            return x
        found = dispatch.dtype_of(x)
        if found == self._dtype or not is_float(found):
            return x
        cast = dispatch.cast_to(x, self._dtype)
        set_mask(cast, get_mask(x))
        return cast

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
        masks = open_masks(self._call_parameters, args, kwargs)
        call = LayerCall(self, args, self._recorded_arguments(args, kwargs, masks), index=len(self._calls))
        outputs = self.compute_output_spec(*args, **(kwargs | masks))
        call.outputs = outputs
        for i, tensor in enumerate(flatten(outputs)):
            tensor.call, tensor.index = call, i
        self._calls.append(call)
        first = args[0] if args else next(iter(kwargs.values()), None)
        return self._hand_on_mask(first, outputs, self._previous_mask(first, kwargs | masks))

    def _recorded_arguments(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The keyword arguments that the layer graph, and with it every file, holds for a call.

        As Keras does: a call on one tensor that needs no cast also holds what the layer filled in itself.
        """
        x = args[0] if len(args) == 1 else None
        simple = not kwargs and isinstance(x, SymbolicTensor) and x.dtype == self._dtype
        if not simple and self._converts_arguments:
            return dict(kwargs)
        filled = dict(kwargs)
        if "training" in self._call_parameters and kwargs.get("training") is None:
            default = inspect.signature(self.call).parameters["training"].default
            if isinstance(default, bool):
                filled["training"] = default
        filled.update(masks)
        return filled

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

    def _add_activity_loss(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        for x in flatten(outputs):
            loss = self.activity_regularizer(x)
            if dispatch.shape_of(x):
                batch = functional.cast(functional.shape(x)[0], loss.dtype)
                loss = functional.divide_no_nan(loss, batch)
            self.add_loss(loss)

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or the sum of a tensor, to the loss of the model that this call is part of."""
        tracer = current_tracer()
        for item in flatten(loss):
            if tracer is not None:
                tracer.losses.append(tracer.value_of(functional.sum(item)))
            else:
                self._losses.append(functional.sum(item))

    @property
    def losses(self) -> list[Any]:
        """The scalars that the last call on arrays added to the loss, then the penalties of trainable weights."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses]
        return added + [v.regularizer(v) for v in self.trainable_variables if v.regularizer is not None]

    @property
    def dtype(self) -> str:
        """The dtype of the layer's weights."""
        return self._dtype

    compute_dtype = dtype
    variable_dtype = dtype

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make a layer like this one, without its weights.

        Raises:
            GraphcError: a custom layer whose constructor took things that a configuration cannot hold, and that does not
                write its own ``get_config``.
        """
        base = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policy_config(self._dtype)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if registered_module(type(self)) is None and type(self).get_config is Layer.get_config:
            return self._constructor_config(base)
        return base

    def _constructor_config(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """The constructor's arguments, defaults included, then what of ``base`` the constructor takes as well."""
        args, kwargs = self._constructor_arguments
        parameters = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        given = dict(zip((p.name for p in named), args, strict=False)) | kwargs
        defaults = {p.name: p.default for p in named if p.default is not p.empty}
        config = {p.name: given.get(p.name, defaults.get(p.name)) for p in named} | given
        for name, value in config.items():
            if name not in base and not all(isinstance(v, str | int | float | bool | None) for v in flatten(value)):
                raise GraphcError(
                    f"Layer {type(self).__name__} cannot be saved: its constructor took {name}={value!r:.60}, which is not "
                    "plain data. Write `get_config(self)`, which returns the constructor's arguments as plain data."
                )
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        taken = {name: value for name, value in base.items() if takes_any or any(p.name == name for p in named)}
        return {name: value for name, value in config.items() if name not in base} | taken

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


def _building(build: Callable[..., None]) -> Callable[..., None]:
    """``build`` as a user may call it: afterwards the layer is built, with these shapes, and a call does not build again."""

    @wraps(build)
    def run(self: Layer, *shapes: Any, **named: Any) -> None:
        build(self, *shapes, **named)
        if self._is_built_by_build and not self.built:
            self.built = True
            if getattr(self, "_build_shapes", None) is None:
                self._build_shapes = (*shapes, *named.values())

    return run


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


def _user_line() -> tuple[str, int]:
    """The file and line of the nearest caller outside graphc: kept in memory only, for error messages."""
    frame = sys._getframe(2)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        frame = frame.f_back  # type: ignore[assignment]
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", 0)
