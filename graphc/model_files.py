"""What a model writes: its training configuration, JSON, whole archives, weights and ONNX."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from graphc.serialization import custom_objects_of, deserialize_keras_object, serialize_keras_object
from graphc.training import Trainer


class ModelFiles:
    """The part of `Model` that knows of files; the formats themselves are in `graphc.saving`."""

    name: str
    built: bool
    optimizer: Any
    compile: Any
    trainable_variables: Any
    _compile_arguments: dict[str, Any] | None

    def _itself(self) -> Any:
        """The model that this is a part of."""
        return self

    def get_compile_config(self) -> dict[str, Any]:
        """What ``compile`` was given, as plain data; empty when it was not called."""
        arguments = self._compile_arguments
        if arguments is None:
            return {}
        # Keras writes what "auto" came to; here everything is always compiled.
        jit = True if arguments["jit_compile"] == "auto" else arguments["jit_compile"]
        config: dict[str, Any] = serialize_keras_object({**arguments, "jit_compile": jit})
        return config

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Call ``compile`` as `get_compile_config` says, and make the optimizer's variables if the model is built."""
        if type(self).compile is not Trainer.compile:
            warnings.warn(
                f"Model {self.name!r} is not compiled: {type(self).__name__} has a `compile` of its own. Write "
                "`get_compile_config` and `compile_from_config` beside it, or call `compile` after loading.",
                stacklevel=2,
            )
            return
        arguments = deserialize_keras_object(config)
        self.compile(**arguments)
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture in Keras 3's JSON, without weights. ``kwargs`` go to ``json.dumps``."""
        from graphc.saving.model_json import model_to_json

        return model_to_json(self._itself(), **kwargs)

    def __reduce__(self) -> Any:
        """Copies and pickles go by the model's file: architecture, weights, training configuration, optimizer state."""
        from graphc.saving.whole_model import model_from_bytes, model_to_bytes

        return model_from_bytes, (model_to_bytes(self._itself()), custom_objects_of(self._itself()))

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the whole model as one ``.keras`` file: architecture, weights, training configuration, optimizer state.

        Args:
            filepath: where to; a path without an ending is one file, too. A killed save leaves the old file intact.
            overwrite: whether an existing file may be replaced.
            zipped: always.
            kwargs: ``include_optimizer=False`` leaves the state of the optimizer out.
        """
        from graphc.saving.whole_model import save_model

        save_model(self._itself(), filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None) -> None:
        """Write the weights to a ``.weights.h5`` file in Keras 3's layout. A killed save leaves the old file intact."""
        from graphc.saving.weights_file import save_weights

        save_weights(self._itself(), filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a ``.weights.h5`` file. Either all weights are set or none."""
        from graphc.saving.weights_file import load_weights

        load_weights(self._itself(), filepath, skip_mismatch=skip_mismatch, **kwargs)

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

        return export_model(self._itself(), filepath, format=format, verbose=verbose, **options)
