"""The base of all models: a layer that trains, saves and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc import compiler
from graphc.compiler import Lowered
from graphc.errors import ArgumentError, NotBuiltError, did_you_mean
from graphc.ir.dims import Dim
from graphc.ir.dtypes import standardize_dtype
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.layers.layer import Layer
from graphc.layers.structure import flatten, map_structure, pack_like
from graphc.layers.symbolic import SymbolicTensor
from graphc.ops.functional.tracing import TracedTensor, current_tracer
from graphc.seeding import next_seed
from graphc.training import Trainer


class Model(Trainer, Layer):
    """A model: ``Model(inputs, outputs)`` for a functional one, or a subclass with ``call(self, inputs)``.

    Args:
        inputs: a symbolic tensor, or a list or dict of them.
        outputs: likewise.
        name: the model's name.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from graphc.functional import Functional, is_functional_call

        if cls is Model and is_functional_call(args, kwargs):
            return super().__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args:
            raise ArgumentError(
                f"{type(self).__name__} is a subclass of Model: `super().__init__()` takes no tensors. "
                "Use Model(inputs, outputs) for a functional model."
            )
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)

    # -- calling ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves = flatten((args, kwargs))
        symbolic = any(isinstance(x, SymbolicTensor | TracedTensor) for x in leaves)
        if symbolic or current_tracer() is not None or len(args) != 1 or kwargs.keys() - {"training", "mask"}:
            return super().__call__(*args, **kwargs)
        if kwargs.get("mask") is not None or not self._runs_as_graph():
            return super().__call__(*args, **kwargs)
        return self.run(args[0], training=kwargs.get("training"))

    def _runs_as_graph(self) -> bool:
        """True when calling on arrays goes through a compiled graph; subclassed models run their Python code."""
        return hasattr(self, "layer_graph")

    def run(self, inputs: Any, training: bool | None = None) -> Any:
        """Compute the outputs for arrays, through the compiled graph; ``training`` as in `lower`."""
        step = self._forward(training)
        results = step.run(self.as_feeds(inputs))
        return pack_like(step.lowered.outputs, [results[name] for name in flatten(step.lowered.outputs)])

    def _forward(self, training: bool | None) -> Forward:
        # A frozen layer behaves as in inference even in training, so what is frozen is part of what was traced.
        frozen = None if training is False else tuple(layer.trainable for layer in self._flatten_layers())
        key = ("forward", training, frozen)
        found: Forward | None = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = Forward(self.lower(training))
        return found

    def lower(self, training: bool | None = None) -> Lowered:
        """The model as IR, with the variables behind its states.

        Args:
            training: how layers behave; None for inference except where a layer was called with ``training=True``.

        Raises:
            NotBuiltError: a subclassed model was never called, so its input is unknown.
        """
        names, types, structure, outputs = self._signature()
        return compiler.lower(
            lambda inputs: self.call_inside(inputs, training),
            dict(zip(names, types, strict=True)),
            structure,
            outputs,
            name=self.name,
            training=bool(training),
        )

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
        signature = self._seen_signature
        if signature is None:
            raise NotBuiltError(
                f"Model {self.name!r} has not been called yet, so the shape of its input is unknown. "
                "Call it on data, or call `fit`, first."
            )
        return (*signature, None)

    def see(self, inputs: Any) -> None:
        """Remember the input signature of a subclassed model from arrays, and build it."""
        if hasattr(self, "layer_graph") or self._seen_signature is not None:
            return
        arrays = [np.asarray(x) for x in flatten(inputs)]
        if isinstance(inputs, Mapping):
            names = [str(k) for k in sorted(inputs)]
        else:
            names = [f"input_{i}" if i else "input" for i in range(len(arrays))]
        types = []
        for array in arrays:
            dtype = standardize_dtype(array.dtype)
            dtype = "float32" if dtype == "float64" else dtype
            dims: list[Any] = [Dim("batch"), *array.shape[1:]] if array.ndim else []
            types.append(TensorType(dtype, tuple(dims)))
        self._seen_signature = (names, types, map_structure(lambda _: None, inputs))
        if not self.built or not self.variables:
            with_batch = [SymbolicTensor(t) for t in types]
            self.compute_output_spec(pack_like(inputs, with_batch))
            self.built = True

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

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model with new weights from what `get_config` gave; custom classes come in by ``custom_objects``."""
        if "layers" in config and "output_layers" in config:
            from graphc.saving.functional_config import functional_from_config

            return functional_from_config(config, custom_objects)
        return cls(**config)

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

    # -- text, files ------------------------------------------------------------------------------------------------

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

    def to_json(self, **kwargs: Any) -> str:
        """The architecture in Keras 3's JSON, without weights. ``kwargs`` go to ``json.dumps``."""
        from graphc.saving.model_json import model_to_json

        return model_to_json(self, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None) -> None:
        """Write the weights to a ``.weights.h5`` file in Keras 3's layout. A killed save leaves the old file intact."""
        from graphc.saving.weights_file import save_weights

        save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a ``.weights.h5`` file. Either all weights are set or none."""
        from graphc.saving.weights_file import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(self, filepath: Any, format: str = "onnx", verbose: Any = None, **options: Any) -> Any:
        """Write the model for inference.

        Args:
            filepath: where to.
            format: ``onnx``.
            options: what `graphc export` takes: ``opset``, ``pipeline``, ``verify`` ...

        Raises:
            ArgumentError: another format.
        """
        from graphc.export import export_model

        return export_model(self, filepath, format=format, verbose=verbose, **options)


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
