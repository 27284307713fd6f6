"""What one row of the tables of layer cases holds: a layer, or an expression, on seeded inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.spec import Obj, Shape, resolve


@dataclass(frozen=True)
class Case:
    """A layer, or an expression of layers and ops, applied to seeded inputs.

    Attributes:
        name: unique; the fixture's key and the seed of inputs and weights.
        shapes: shapes of the input arrays, without the batch axis.
        layer: class name in ``k.layers``; empty when ``build`` is given.
        config: the layer's arguments.
        call: ``call(layer, *inputs)`` gives the output tensors, where the layer does not take one tensor or a list.
        build: ``build(k, *inputs)`` gives the output tensors, where one layer is not the whole case.
        declared: shapes given to ``Input`` where they differ from ``shapes`` (None for a dynamic dim).
        dtype: of the inputs; a tuple of one for each where they differ.
        spread: float inputs are uniform in ``[-spread, spread)``.
        integers: integer inputs are at least the first and less than the second.
        blank: in float inputs, this share of the steps (axis 1) is all zeros: what `Masking` takes for padding.
        training: the forward pass runs with ``training=True``, and the weights after it are compared too.
        train: also compare one SGD step, which checks the gradients by the input and by the weights. Where no input is
            of floats, that needs ``probe=False``.
        probe: the SGD step is made with a Dense layer on each float input, whose weights move by the gradient that the
            layer sends back; False where such a layer would spoil what the inputs mean.
        atol: absolute tolerance of the forward pass, on top of the one for reductions that the harness works out.
        onnx: "" when ONNX Runtime must agree, else the reason why the case cannot be exported.
    """

    name: str
    shapes: tuple[Shape, ...]
    layer: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] | None = None
    build: Callable[..., Any] | None = None
    declared: tuple[Shape, ...] | None = None
    dtype: str | tuple[str, ...] = "float32"
    spread: float = 2.0
    integers: tuple[int, int] = (-9, 10)
    blank: float = 0.0
    training: bool = False
    train: bool = True
    probe: bool = True
    atol: float = 1e-6
    onnx: str = ""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtype of each input."""
        return self.dtype if isinstance(self.dtype, tuple) else (self.dtype,) * len(self.shapes)

    @property
    def is_trained(self) -> bool:
        """True when the case has an SGD step."""
        return self.train and ("float32" in self.dtypes or not self.probe)

    def make(self, k: Any) -> Any:
        """The layer under test, newly made."""
        return getattr(k.layers, self.layer)(**resolve(k, dict(self.config)))

    def apply(self, k: Any, inputs: list[Any]) -> Any:
        """The output tensor (or tensors) of the case on symbolic ``inputs``."""
        if self.build is not None:
            return self.build(k, *inputs)
        return self.connect(self.make(k), inputs)

    def connect(self, layer: Any, inputs: list[Any]) -> Any:
        """What ``layer``, the one under test or one like it, gives for symbolic ``inputs``."""
        if self.call is not None:
            return self.call(layer, *inputs)
        return layer(inputs[0] if len(inputs) == 1 else inputs)


OPTIONS = ("call", "declared", "dtype", "spread", "integers", "blank", "training", "train", "probe", "atol", "onnx")


def of(layer: str, label: str, /, *shapes: Shape, **config: Any) -> Case:
    """One row: a layer by class name, input shapes, its arguments. Names in OPTIONS go to the case, not the layer."""
    options = {key: config.pop(key) for key in OPTIONS if key in config}
    return Case(f"{layer}/{label}", shapes, layer=layer, config=config, **options)


def fn(name: str, build: Callable[..., Any], *shapes: Shape, **options: Any) -> Case:
    """One row: an expression ``build(k, *inputs)``."""
    return Case(name, shapes, build=build, **options)


L2 = Obj("regularizers", "L2", {"l2": 0.05})
L1L2 = Obj("regularizers", "L1L2", {"l1": 0.02, "l2": 0.03})
