"""The base of all models: a layer that trains, saves and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc import compiler
from graphc.compiler import Lowered
from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError, NotBuiltError, did_you_mean
from graphc.input_signature import InputSignature
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.layers.layer import Layer
from graphc.layers.symbolic import SymbolicTensor
from graphc.model_files import ModelFiles
from graphc.nesting import Task, run
from graphc.ops.functional.tracing import TracedTensor, current_tracer
from graphc.seeding import next_seed
from graphc.serialization import shared_objects
from graphc.structure import flatten, ordered_keys, pack_like
from graphc.training import Trainer


class Model(ModelFiles, Trainer, Layer):
    """A model: ``Model(inputs, outputs)`` for a functional one, or a subclass with ``call(self, inputs)``.

    Args:
        inputs: a symbolic tensor, or a list or dict of them.
        outputs: likewise.
        name: the model's name.
    """

    _keras_module: tuple[str, str | None] = ("keras", None)
    _is_built_by_build = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from graphc.functional import Functional, is_functional_call

        if cls is Model and is_functional_call(args, kwargs):
            return super().__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from graphc.functional import Functional, become_functional, is_functional_call

        if is_functional_call(args, kwargs):  # a subclass that says `super().__init__(inputs, outputs)`
            become_functional(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        if args:
            raise ArgumentError(
                f"{type(self).__name__} is a subclass of Model: `super().__init__()` takes no tensors. "
                "Use Model(inputs, outputs) for a functional model."
            )
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)
        self._compiled_for: dict[Any, dict[Any, Any]] = {}

    # -- calling ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves = flatten((args, kwargs))
        symbolic = any(isinstance(x, SymbolicTensor | TracedTensor) for x in leaves)
        if symbolic or current_tracer() is not None or len(args) != 1 or kwargs.keys() - {"training", "mask"}:
            return super().__call__(*args, **kwargs)
        if not self._runs_as_graph():
            return self._call_eagerly(args, kwargs)
        if kwargs.get("mask") is not None:
            return super().__call__(*args, **kwargs)
        return self.run(args[0], training=kwargs.get("training"))

    def _call_eagerly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the Python code of a model with a ``call`` of its own; what it was fed is what it is exported for."""
        outputs = super().__call__(*args, **kwargs)
        if self._seen_signature is None:
            self._adopt(InputSignature.of_arrays(args[0]))
        return outputs

    def traced_call_task(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task[Any]:
        """What calling this model on traced tensors does, as a task, for models that have a ``call_task``."""
        call = self._prepare_call(args, kwargs)
        with self._inside(call):
            outputs = yield self.call_task(*call.args, **call.kwargs)  # type: ignore[attr-defined]
            self._add_activity_loss(outputs)
            return self._hand_on_mask(call.first, outputs, call.previous_mask)

    def _runs_as_graph(self) -> bool:
        """True when calling on arrays goes through a compiled graph; subclassed models run their Python code."""
        return hasattr(self, "layer_graph")

    def run(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs for arrays, through the compiled graph; ``training`` as in `lower`."""
        step = self._forward(training)
        results = step.run(self.as_feeds(inputs))
        self._losses[:] = [results[name] for name in step.lowered.losses]
        return pack_like(step.lowered.outputs, [results[name] for name in flatten(step.lowered.outputs)])

    def _forward(self, training: bool | None) -> Forward:
        # A frozen layer behaves as in inference even in training, so what is frozen is part of what was traced.
        frozen = None if training is False else tuple(layer.trainable for layer in self._flatten_layers())
        key = ("forward", training, frozen)
        found: Forward | None = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = Forward(self.lower(training, with_losses=True))
        return found

    def lower(self, training: bool | None = None, *, with_losses: bool = False) -> Lowered:
        """The model as IR, with the variables behind its states.

        Args:
            training: how layers behave; None for inference except where a layer was called with ``training=True``.
            with_losses: what layers add to the loss becomes further outputs of the graph.

        Raises:
            NotBuiltError: a subclassed model was never called, so its input is unknown.
        """
        names, types, structure, outputs = self._signature()
        lowered = compiler.lower(
            lambda inputs: self.call_inside(inputs, training),
            dict(zip(names, types, strict=True)),
            structure,
            outputs,
            name=self.name,
            training=bool(training),
            with_losses=with_losses,
        )
        if not hasattr(self, "layer_graph"):
            self._output_structure = lowered.outputs
        return lowered

    def call_inside(self, inputs: Any, training: bool | None) -> Any:
        """Run ``call`` on traced inputs without adding this model's name to the layers' paths."""
        from graphc.layers.scope import layer_scope

        with layer_scope(None, training):
            if "training" in self._call_parameters:
                return self.call(inputs, training=training)
            return self.call(inputs)

    def _signature(self) -> tuple[list[str], list[TensorType], Any, list[str] | None]:
        """Names, types and nesting of the inputs, and the names of the outputs."""
        if hasattr(self, "layer_graph"):
            types = [t.type for t in self.inputs]  # type: ignore[attr-defined]
            return self.input_names, types, self._input_structure, self.export_names()  # type: ignore[attr-defined]
        signature: InputSignature | None = self._seen_signature
        if signature is None:
            raise NotBuiltError(
                f"Model {self.name!r} has not been called yet, so the shape of its input is unknown. "
                "Call it on data, call `fit`, or `build(input_shape)`, first."
            )
        return list(signature.names), list(signature.types), signature.structure, None

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: of the graph, and of an exported model."""
        return self._signature()[0]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: dict keys, or ``output_1``, ``output_2`` ..., once the model has been traced."""
        structure = getattr(self, "_output_structure", None)
        if isinstance(structure, Mapping):
            return [str(k) for k in ordered_keys(dict(structure))]
        return [f"output_{i + 1}" for i in range(len(flatten(structure)))] if structure is not None else []

    # -- building, for models with a `call` of their own -----------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape, by tracing ``call``.

        Args:
            input_shape: with the batch, such as ``(None, 28, 28)``; a list or dict of shapes for several inputs.

        Raises:
            ArgumentError: no shape was given.
        """
        if self.built or type(self).build is not Model.build:
            return  # a `build` of the user's has made what it wanted; what it has not is made by the first call
        if input_shape is None:
            raise ArgumentError("You must provide an `input_shape` argument, such as (None, 784).")
        self._build_for(InputSignature.of_shapes(input_shape, self.dtype))

    def build_with_shapes(self, *shapes: Any) -> None:
        """Remember the shapes, and run a ``build`` of the user's; without one, the call that follows builds the layers."""
        if type(self).build is Model.build:
            self._build_shapes, self.built = shapes, True
        else:
            super().build_with_shapes(*shapes)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build from what `get_build_config` gave, the layers inside too."""
        if not self.built and config.get("input_shape") is not None:
            self._build_for(InputSignature.of_shapes(config["input_shape"], self.dtype))

    def _build_for(self, signature: InputSignature) -> None:
        self.compute_output_spec(signature.symbolic())
        self.built = True
        self._adopt(signature)

    def _adopt(self, signature: InputSignature) -> None:
        """Go on with these inputs; what was traced for others is kept for them."""
        self._seen_signature = signature
        self._compiled = self._compiled_for.setdefault(signature.key, {})

    def _forget_steps(self) -> None:
        super()._forget_steps()
        self._compiled_for.clear()
        if self._seen_signature is not None:
            self._adopt(self._seen_signature)

    def see(self, inputs: Any) -> None:
        """Go on with inputs like these arrays, and build a model with a ``call`` of its own."""
        if hasattr(self, "layer_graph"):
            return
        signature = InputSignature.of_arrays(inputs)
        if self._seen_signature is not None and self._seen_signature.key == signature.key:
            return
        if not self.built or not self.variables:
            self._build_for(signature)
        else:
            self._adopt(signature)

    def as_feeds(self, inputs: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays for the graph's inputs, by name."""
        self.see(inputs)
        names, types, _, _ = self._signature()
        flat = flatten(inputs)
        if len(flat) != len(names):
            raise ArgumentError(f"Model {self.name!r} expects {len(names)} input(s); got {len(flat)}.")
        return {n: np.asarray(x).astype(t.dtype, copy=False) for n, t, x in zip(names, types, flat, strict=True)}

    def graph(self, training: bool = False, pipeline: Any = "O0") -> Graph:
        """The model's IR: what is computed, with shapes and dtypes on every value.

        Args:
            training: how layers behave (Dropout, BatchNormalization).
            pipeline: the passes to run over it; none by default.
        """
        return compiler.optimize(self.lower(training).graph, pipeline)[0]

    # -- configuration ----------------------------------------------------------------------------------------------

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model with new weights from what `get_config` gave; custom classes come in by ``custom_objects``."""
        with custom_object_scope(custom_objects or {}), shared_objects():
            return run(cls.from_config_task(config))

    @classmethod
    def from_config_task(cls, config: Mapping[str, Any]) -> Task[Any]:
        """`from_config` as a task, for models within models."""
        from graphc.functional import Functional, has_functional_constructor
        from graphc.saving.functional_config import functional_task, is_functional_config

        if cls in (Model, Functional) or (is_functional_config(config) and has_functional_constructor(cls)):
            return (yield functional_task(cls, config))
        try:
            return cls(**config)
        except TypeError as error:
            raise ArgumentError(
                f"Model {cls.__name__} cannot be made from its configuration: {error}. `get_config` must return the "
                "constructor's arguments, or `from_config(cls, config)` must say how to make the model."
            ) from error

    # -- layers -----------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by place.

        Raises:
            ArgumentError: there is none, or not exactly one of ``name`` and ``index`` was given.
        """
        if (name is None) == (index is None):
            raise ArgumentError("Provide either a layer name or a layer index at `get_layer`.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ArgumentError(f"No such layer: {name!r}.{did_you_mean(name, names)}")

    # -- showing ---------------------------------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers."""
        from graphc.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _repr_html_(self) -> str:
        """What a notebook shows: the layers as a table, and the drawing."""
        from graphc.plotting.notebook import model_html

        return model_html(self)

    def _repr_svg_(self) -> str | None:
        """The drawing; None for a model that is not built or too large for a notebook."""
        from graphc.plotting.notebook import model_svg

        return model_svg(self)


class Forward:
    """A lowered model made ready to run on arrays; keeps the random key going from call to call."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.executable = compiler.executable(lowered)

    def run(self, feeds: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Compute the outputs."""
        if self.lowered.random_key is not None:
            self.lowered.random_key.assign(np.array([next_seed(), 0], np.uint32))
        return self.executable.run(feeds)
