"""EinsumDense: a Dense layer over any axes, told by an einsum equation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc import activations, constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.core import refuse_adapters
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")

Lengths = tuple[int | None, ...]


@dataclass(frozen=True)
class EinsumShapes:
    """What an equation says about the shapes of a layer.

    Attributes:
        kernel: the kernel's shape.
        bias: the bias's shape; None where there is none.
        output: the output's shape.
        input_axes: the kernel's axes that are summed over.
        output_axes: the kernel's axes that the output has.
    """

    kernel: Lengths
    bias: Lengths | None
    output: Lengths
    input_axes: tuple[int, ...]
    output_axes: tuple[int, ...]


def einsum_shapes(equation: str, bias_axes: str | None, input_shape: Lengths, output_shape: Lengths) -> EinsumShapes:
    """The shapes that follow from an equation ``inputs,kernel->outputs``.

    ``...`` may stand at the front or at the end of both inputs and outputs, for axes that the kernel does not touch.

    Args:
        equation: with letters for axes.
        bias_axes: the letters of the outputs that the bias has; None for no bias.
        input_shape: with the batch.
        output_shape: of the letters of the outputs but the first, which is the batch (after ``...`` in front: of all
            letters); None where the length is that of the inputs.

    Raises:
        ArgumentError: the equation has another form, or a letter has nothing to get its length from.
        ShapeError: inputs and outputs have two lengths for one letter, or the ranks do not fit.
    """
    found = _EQUATION.fullmatch(equation.replace(" ", ""))
    front, end = (found[1], found[3]) if found else (None, None)
    if not found or (found[5], found[7]) != (front, end) or (front and end) or (end and len(found[2]) < 2):
        raise ArgumentError(
            f"Invalid einsum equation {equation!r}. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], "
            "or [X]...,[Y]->[Z]...."
        )
    inputs, kernel, outputs = found[2], found[4], found[6]
    elided = len(input_shape) - len(inputs)
    if elided < 0 or (elided and not front and not end):
        raise ShapeError(
            f"The inputs of equation {equation!r} have {len(inputs)} axes; got inputs of shape {input_shape}."
        )
    # The axes that "..." stands for come with their lengths; `full` is the whole output shape.
    if front:
        full = (*input_shape[: max(elided, 1)], *output_shape)
        first_in = first_out = elided
    else:
        full = (input_shape[0], *output_shape, *input_shape[len(inputs) :])
        first_in = first_out = 0
    if len(full) != len(outputs) + elided:
        raise ShapeError(
            f"`output_shape` {output_shape} does not fit the outputs {outputs!r} of equation {equation!r} for inputs of "
            f"shape {input_shape}: it holds a length for every letter but the batch."
        )
    of_input = {letter: input_shape[first_in + i] for i, letter in enumerate(inputs)}
    of_output = {letter: full[first_out + i] for i, letter in enumerate(outputs)}
    _check_letters(equation, inputs, kernel, outputs, of_input, of_output)
    of_output = {k: of_input.get(k) if length is None else length for k, length in of_output.items()}
    before, behind = full[:first_out], full[first_out + len(outputs) :]
    return EinsumShapes(
        kernel=tuple(of_output[k] if k in of_output else of_input[k] for k in kernel),
        bias=None if bias_axes is None else _bias_shape(bias_axes, outputs, of_output, len(behind)),
        output=(*before, *of_output.values(), *behind),
        input_axes=tuple(i for i, k in enumerate(kernel) if k not in of_output),
        output_axes=tuple(i for i, k in enumerate(kernel) if k in of_output),
    )


def _check_letters(
    equation: str,
    inputs: str,
    kernel: str,
    outputs: str,
    of_input: dict[str, int | None],
    of_output: dict[str, int | None],
) -> None:
    for letter in inputs:
        length, wanted = of_input[letter], of_output.get(letter)
        if wanted is not None and wanted != length:
            raise ShapeError(
                f"Input shape and output shape do not match at shared dimension '{letter}' of equation {equation!r}. "
                f"Input shape is {length}, and output shape is {wanted}."
            )
    for letter in outputs:
        if letter not in inputs and letter not in kernel:
            raise ArgumentError(
                f"Dimension '{letter}' was specified in the output '{outputs}' but has no corresponding dim in the input "
                f"spec '{inputs}' or weight spec '{kernel}'."
            )
    for letter in kernel:
        if letter not in of_input and letter not in of_output:
            raise ArgumentError(
                f"Weight dimension '{letter}' did not have a match in either the input spec '{inputs}' or the output "
                f"spec '{outputs}'. For this layer, the weight must be fully specified."
            )


def _bias_shape(bias_axes: str, outputs: str, of_output: dict[str, int | None], behind: int) -> Lengths:
    """The bias's shape: from its first axis on, with ``behind`` more axes of length 1."""
    for letter in bias_axes:
        if letter not in outputs:
            raise ArgumentError(
                f"Bias dimension '{letter}' was requested, but is not part of the output spec '{outputs}'."
            )
    first = min((outputs.index(letter) for letter in bias_axes), default=len(outputs))
    return (*(of_output[k] if k in bias_axes else 1 for k in outputs[first:]), *(1,) * behind)


class EinsumDense(Layer):
    """``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: ``"abc,cd->abd"``: letters of the inputs, of the kernel and of the outputs; ``...`` may lead or end both
            inputs and outputs.
        output_shape: an integer or a tuple: the lengths of the outputs without the batch and what ``...`` stands for;
            None where the length is that of the inputs.
        activation: a name or function.
        bias_axes: the letters of the outputs that have a bias of their own; None for no bias.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse_adapters(self, lora_rank, lora_alpha, quantization_config or gptq_unpacked_column_size)
        if not isinstance(equation, str):
            raise ArgumentError(f"`equation` of layer {self.name!r} must be a string; got {equation!r}.")
        self.equation = equation
        self.partial_output_shape = _partial_shape(output_shape, self.name)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def _shapes_for(self, input_shape: Any) -> EinsumShapes:
        try:
            return einsum_shapes(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape)
        except (ArgumentError, ShapeError) as error:
            raise type(error)(f"EinsumDense layer {self.name!r}: {error}") from None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        shapes = self._shapes_for(input_shape)
        for what, shape in (("kernel", shapes.kernel), ("bias", shapes.bias or ())):
            if None in shape:
                raise ShapeError(
                    f"EinsumDense layer {self.name!r}: the {what} of equation {self.equation!r} would have the shape "
                    f"{shape} for inputs of shape {tuple(input_shape)}. Its axes need fixed lengths: from the inputs, or "
                    "from `output_shape`."
                )
        self.kernel = self.add_weight(
            shape=shapes.kernel,
            initializer=self._kernel_initializer_for(shapes),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if shapes.bias is not None:
            self.bias = self.add_weight(
                shape=shapes.bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _kernel_initializer_for(self, shapes: EinsumShapes) -> Any:
        """The initializer, told which axes of the kernel are inputs and outputs, where it counts them."""
        given = self.kernel_initializer
        if not isinstance(given, initializers.VarianceScaling) or None not in (given.input_axes, given.output_axes):
            return given
        axes = {"input_axes": shapes.input_axes, "output_axes": shapes.output_axes}
        return type(given).from_config({**given.get_config(), **axes})

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the output for that of the input."""
        return self._shapes_for(input_shape).output

    def call(self, inputs: Any) -> Any:
        """The transformed inputs."""
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """All constructor arguments."""
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }


def _partial_shape(shape: Any, layer: str) -> Lengths:
    given: Sequence[Any] = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    if any(d is not None and (isinstance(d, bool) or not hasattr(d, "__index__") or d <= 0) for d in given):
        raise ArgumentError(
            f"`output_shape` of EinsumDense layer {layer!r} must hold positive integers, and None for lengths that come "
            f"from the inputs; got {shape!r}."
        )
    return tuple(None if d is None else int(d) for d in given)
