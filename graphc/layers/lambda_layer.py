"""Lambda: a function of tensors as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from graphc import activations
from graphc.custom_objects import custom_object_scope, get_registered_object
from graphc.errors import ArgumentError, GraphcError, ShapeError
from graphc.layers.layer import Layer
from graphc.ops.functional import FUNCTIONS
from graphc.serialization import deserialize_keras_object, serialize_keras_object
from graphc.structure import flatten


class Lambda(Layer):
    """A function of tensors, written with functions of `graphc.ops` and operators, as a layer.

    A file holds the function by its name alone, never its code: a lambda cannot be saved, and a function with a name is
    found again if it is one of `graphc.ops` or `graphc.activations`, or handed in by ``custom_objects`` or
    `graphc.saving.register_keras_serializable`. A function that has weights belongs in a layer class of its own.

    Args:
        function: called with the inputs, ``arguments``, and ``mask`` and ``training`` if it has parameters of these names.
        output_shape: what the output's shape is, without the batch: a tuple, nested as the outputs, or a function of the
            input shape (with the batch). The traced function says it anyway; what does not agree with it is an error.
        mask: the output's mask, or a function ``(inputs, mask)`` that gives it; None where there is none.
        arguments: more keyword arguments of the function.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"`function` of Lambda layer {self.name!r} must be callable; got {function!r:.80}.")
        self.function, self.mask = function, mask
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        self.supports_masking = mask is not None
        self._takes = _parameters(function)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """What the function gives."""
        given = dict(self.arguments)
        if "mask" in self._takes:
            given["mask"] = mask
        if "training" in self._takes:
            given["training"] = training
        outputs = self.function(inputs, **given)
        self._check_shape(inputs, outputs)
        return outputs

    def _check_shape(self, inputs: Any, outputs: Any) -> None:
        """Compare what the function gave with what the user said that it would."""
        if self._output_shape is None:
            return
        declared = self._output_shape
        if callable(declared):
            told = [declared(_shape(inputs))]
        else:
            parts = (
                declared if isinstance(declared, list) and any(isinstance(s, list | tuple) for s in declared) else None
            )
            told = [(None, *s) for s in (parts if parts is not None else [declared])]
        for shape, x in zip(told, flatten(outputs), strict=False):
            have = tuple(x.shape)
            pairs = list(zip(tuple(shape), have, strict=False))
            if len(shape) != len(have) or any(None not in (a, b) and a != b for a, b in pairs):
                raise ShapeError(
                    f"Lambda layer {self.name!r}: `output_shape` says {tuple(shape)} (with the batch), but the function "
                    f"gives {have}."
                )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask that was given, or what the function for it gives."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The functions' names and all other arguments.

        Raises:
            GraphcError: a function is a lambda, which has no name that a file could hold.
        """
        config = {**super().get_config(), "function": self._function_config(self.function, "function")}
        if self._output_shape is not None:
            config["output_shape"] = self._function_config(self._output_shape, "output_shape")
        if self.mask is not None:
            config["mask"] = self._function_config(self.mask, "mask")
        return {**config, "arguments": serialize_keras_object(self.arguments)}

    def _function_config(self, value: Any, argument: str) -> Any:
        if callable(value) and not getattr(value, "__name__", "").isidentifier():
            raise GraphcError(
                f"Lambda layer {self.name!r} cannot be saved: its `{argument}` is a lambda, and files hold names, never "
                "code. Define the function with `def` and register it with graphc.saving.register_keras_serializable, or "
                "write a layer class."
            )
        if callable(value):
            activations.serialize(value)  # refuses a function whose name stands for another one in files
        return serialize_keras_object(value)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Lambda:
        """A layer from what `get_config` gave.

        Raises:
            ArgumentError: a function is unknown, or is given as code, which is never read.
        """
        given = dict(config)
        with custom_object_scope(custom_objects or {}):
            for argument in ("function", "output_shape", "mask"):
                if argument in given:
                    given[argument] = _function_from(given[argument], argument)
            if "arguments" in given:
                given["arguments"] = deserialize_keras_object(given["arguments"])
        shape = given.get("output_shape")
        if isinstance(shape, list) and all(d is None or isinstance(d, int) for d in shape):
            given["output_shape"] = tuple(shape)
        return cls(**given)


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some callables of C have no signature
        return frozenset()


def _shape(inputs: Any) -> Any:
    if isinstance(inputs, list | tuple):
        return [tuple(x.shape) for x in inputs]
    return tuple(inputs.shape)


def _function_from(value: Any, argument: str) -> Any:
    """A function, or other data, from its configuration."""
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") == "__lambda__":
        raise ArgumentError(
            f"The `{argument}` of this Lambda layer is stored as Python bytecode. Files hold data, never code, so it is not "
            "read, and there is no switch for it. Rebuild the model in Python, or write the function as a layer class."
        )
    name = value.get("config")
    if value.get("class_name") == "function" and name in FUNCTIONS and get_registered_object(name) is None:
        # A name that is also an activation's stands for that one, as in Keras.
        return getattr(activations, name) if name in activations.__dict__ else FUNCTIONS[name]
    return deserialize_keras_object(value)
