"""Sequential models: a list of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.custom_objects import custom_object_scope
from graphc.errors import ArgumentError, NotBuiltError
from graphc.functional import Functional
from graphc.layers.input_layer import Input, InputLayer
from graphc.layers.layer import Layer
from graphc.layers.symbolic import SymbolicTensor
from graphc.model import Model
from graphc.nesting import Task, run
from graphc.serialization import shared_objects


class Sequential(Model):
    """Layers called one after the other.

    The model is built when its input is known: from an `Input` at the front, from ``build(input_shape)``, or from the first
    data.
    """

    _converts_arguments = False
    _keras_module = ("keras", None)

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(name=name, trainable=trainable)
        self._stack: list[Layer] = []
        self._functional: Functional | None = None
        if layers is not None and not isinstance(layers, list | tuple):
            raise ArgumentError(f"Sequential takes a list of layers; got {type(layers).__name__}.")
        for layer in layers or ():
            self.add(layer, rebuild=False)
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            source = self._stack[0].output
            self._connect(source, source, self._stack[1:])

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Raises:
            ArgumentError: it is no layer, or its name is taken.
        """
        if isinstance(layer, SymbolicTensor) and layer.call is not None and isinstance(layer.call.layer, InputLayer):
            layer = layer.call.layer
        if not isinstance(layer, Layer):
            raise ArgumentError(f"Only instances of `Layer` can be added to a Sequential model; got {layer!r}.")
        if any(known.name == layer.name for known in self._stack):
            raise ArgumentError(
                f"All layers of a Sequential model must have unique names; {layer.name!r} is there already."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ArgumentError(f"Sequential model {self.name!r} has an input already; an Input can only come first.")
        if layer is self or any(inner is self for inner in layer._flatten_layers()):
            raise ArgumentError(f"Sequential model {self.name!r} cannot hold {layer.name!r}, which holds it: a cycle.")
        if not self._stack and layer._declared_batch_shape is not None and not isinstance(layer, InputLayer):
            self._stack.append(InputLayer(batch_shape=layer._declared_batch_shape, dtype=layer.dtype))
        self._stack.append(layer)
        if rebuild and isinstance(self._stack[0], InputLayer) and not isinstance(layer, InputLayer):
            end = self._functional.outputs[0] if self._functional is not None else self._stack[0].output
            self._connect(
                self._stack[0].output, end, [x for x in self._stack[1:] if self._functional is None or x is layer]
            )

    def pop(self, rebuild: bool = True) -> Layer | None:
        """Remove and return the last layer."""
        layer = self._stack.pop() if self._stack else None
        network, self._functional, self.built = self._functional, None, False
        self._compiled.clear()
        if rebuild and network is not None and len(self._stack) > 1:
            call = network.outputs[0].call
            assert call is not None
            self._connect(self._stack[0].output, call.input_tensors[0], [])
        return layer

    def _connect(self, inputs: SymbolicTensor, end: SymbolicTensor, layers: Sequence[Layer]) -> None:
        """Call further layers on the end of the network."""
        for layer in layers:
            end = layer(end)
        self._functional = Functional(inputs, end, name=self.name)
        self._compiled.clear()
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Build for a batch shape such as ``(None, 784)``.

        Raises:
            ArgumentError: there are no layers.
        """
        if self._functional is not None:
            return
        if not self._stack:
            raise ArgumentError(f"Sequential model {self.name!r} cannot be built because it has no layers. Call `add`.")
        if input_shape is None:
            raise ArgumentError("You must provide an `input_shape` argument, such as (None, 784).")
        source = Input(batch_shape=tuple(input_shape))
        assert source.call is not None
        self._stack.insert(0, source.call.layer)
        self._connect(source, source, self._stack[1:])

    def _network(self) -> Functional:
        if self._functional is None:
            raise NotBuiltError(
                f"Sequential model {self.name!r} is not built yet: the shape of its input is unknown. Start it with an "
                "Input, call `build(input_shape)`, or call it on data."
            )
        return self._functional

    # -- structure --------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer, as in Keras."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def sublayers(self) -> list[Layer]:
        """The layers."""
        return list(self._stack)

    def __getattr__(self, name: str) -> Any:
        # What a functional model knows, once there is one behind this list.
        if name in _OF_THE_NETWORK and self.__dict__.get("_functional") is not None:
            return getattr(self.__dict__["_functional"], name)
        if name in _OF_THE_NETWORK and "_stack" in self.__dict__ and name != "layer_graph":
            self._network()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def input_names(self) -> list[str]:
        """The name of the input, in a list."""
        return self._network().input_names

    @property
    def output_names(self) -> list[str]:
        """The name of the layer that makes the output, in a list."""
        return self._network().output_names

    @property
    def input(self) -> Any:
        """The input tensor."""
        return self._network().input

    @property
    def output(self) -> Any:
        """The output tensor."""
        return self._network().output

    @property
    def input_shape(self) -> Any:
        """The input's shape."""
        return self._network().input_shape

    @property
    def output_shape(self) -> Any:
        """The output's shape."""
        return self._network().output_shape

    # -- calling ----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._functional is None and args:
            self._build_from(args[0])
        return super().__call__(*args, **kwargs)

    def see(self, inputs: Any) -> None:
        """Build from the first data, if need be."""
        if self._functional is None:
            self._build_from(inputs)

    def _build_from(self, x: Any) -> None:
        shape = getattr(x, "shape", None)
        if shape is None:
            import numpy as np

            shape = np.shape(x)
        self.build((None, *tuple(shape)[1:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Call the layers one after the other."""
        return run(self.call_task(inputs, training, mask))

    def call_task(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Task[Any]:
        """`call` as a task, for models within models."""
        return (yield self._network().call_task(inputs, training, mask))

    def as_feeds(self, inputs: Any) -> Any:
        """Arrays for the graph's inputs, by name."""
        self.see(inputs)
        return self._network().as_feeds(inputs)

    # -- configuration ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Keras 3's configuration of a sequential model."""
        with shared_objects():
            config: dict[str, Any] = run(self.config_task())
            return config

    def config_task(self) -> Task[dict[str, Any]]:
        """`get_config` as a task, for models within models."""
        from graphc.saving.sequential_config import sequential_config_task

        config: dict[str, Any] = yield sequential_config_task(self)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model from what `get_config` gave, with new weights; custom classes come in by ``custom_objects``."""
        with custom_object_scope(custom_objects or {}), shared_objects():
            return run(cls.from_config_task(config))

    @classmethod
    def from_config_task(cls, config: Mapping[str, Any]) -> Task[Any]:
        """`from_config` as a task, for models within models."""
        from graphc.saving.sequential_config import sequential_task

        return (yield sequential_task(cls, config))

    def get_build_config(self) -> dict[str, Any] | None:
        """The input's shape, once it is known."""
        return {"input_shape": self.input_shape} if self._functional is not None else None


_OF_THE_NETWORK = frozenset(
    {"layer_graph", "inputs", "outputs", "export_names", "flatten_inputs",
     "_input_structure", "_output_structure"}
)  # fmt: skip
