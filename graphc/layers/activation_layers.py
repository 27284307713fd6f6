"""Activations as layers: ReLU, LeakyReLU, PReLU, ELU, Softmax."""

from __future__ import annotations

from typing import Any

from graphc import activations, constraints, initializers, regularizers
from graphc.errors import ArgumentError, ShapeError
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.ops import functional as ops
from graphc.ops.functional import dispatch


class ReLU(Layer):
    """``min(x, max_value)`` above ``threshold``, ``negative_slope * (x - threshold)`` below."""

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ArgumentError(f"max_value of a ReLU layer cannot be negative. Received: max_value={max_value}")
        if negative_slope is None or negative_slope < 0:
            raise ArgumentError(f"negative_slope of a ReLU layer cannot be negative. Received: {negative_slope}")
        if threshold is None or threshold < 0:
            raise ArgumentError(f"threshold of a ReLU layer cannot be negative. Received: threshold={threshold}")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        own = {"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}
        return {**super().get_config(), **own}


class LeakyReLU(Layer):
    """``x`` above zero, ``negative_slope * x`` below."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:  # Keras 2's name
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ArgumentError(
                f"The negative_slope value of a LeakyReLU layer cannot be None or negative. Received: {negative_slope}"
            )
        self.negative_slope = negative_slope
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return ops.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """The slope."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class PReLU(Layer):
    """``x`` above zero, ``alpha * x`` below, with a learned ``alpha`` of one sample's shape.

    ``shared_axes`` (counted with the batch as axis 0) share one value of ``alpha`` each.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = None if shared_axes is None else [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)
        self.shared_axes = axes
        self.supports_masking = True
        self.alpha: Any = None

    def build(self, input_shape: Any) -> None:
        """Make alpha."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ShapeError(
                f"PReLU layer {self.name!r} needs a fixed length on every axis that is not shared; got {input_shape}. "
                "Name the other axes in `shared_axes`."
            )
        self.alpha = self.add_weight(
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        lengths = enumerate(input_shape[1:], 1) if self.shared_axes else ()
        axes = {axis: length for axis, length in lengths if axis not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return dispatch.apply("PRelu", inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ELU(Layer):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return ops.elu(inputs, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        config = super().get_config()
        return {"name": config.pop("name"), "alpha": self.alpha, **config}


class Softmax(Layer):
    """The softmax over one axis or several; elements where ``mask`` is False get zero."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The probabilities.

        Args:
            inputs: any shape.
            mask: broadcasts to the inputs.
        """
        if mask is not None:
            have, wanted = tuple(mask.shape), tuple(inputs.shape)
            pairs = list(zip(reversed(have), reversed(wanted), strict=False))
            if len(have) > len(wanted) or any(None not in (m, d) and m not in (1, d) for m, d in pairs):
                raise ShapeError(
                    f"Softmax layer {self.name!r}: the mask must broadcast to the inputs; got a mask of shape {have} and "
                    f"inputs of shape {wanted}."
                )
        return masked_softmax(inputs, mask, tuple(self.axis) if isinstance(self.axis, list) else self.axis)

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {**super().get_config(), "axis": self.axis}


def masked_softmax(x: Any, mask: Any, axis: int | tuple[int, ...]) -> Any:
    """The softmax over an axis or several, with zeros where ``mask``, which broadcasts to ``x``, is False.

    A mask that is not of booleans is True above one half. Where everything is masked, everything is zero.
    """
    if mask is None:
        return ops.softmax(x, axis=axis)
    dtype = dispatch.dtype_of(x)
    seen = mask if dispatch.dtype_of(mask) == "bool" else ops.greater(mask, 0.5)
    # Far enough down that exp() of the difference is zero in float32, and finite in float16.
    lowest = -3e4 if dtype == "float16" else -1e9
    return ops.where(seen, ops.softmax(ops.where(seen, x, lowest), axis=axis), 0.0)
