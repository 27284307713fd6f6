"""SpectralNormalization: a wrapper that keeps the largest singular value of a layer's kernel at 1."""

from __future__ import annotations

from typing import Any

from graphc import initializers
from graphc.errors import ArgumentError
from graphc.ir.dtypes import is_float, standardize_dtype
from graphc.layers.input_spec import InputSpec
from graphc.layers.layer import Layer
from graphc.layers.wrapper import Wrapper
from graphc.ops import functional as ops


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value in each call with ``training=True`` (Miyato et al., 2018).

    The singular value is found by power iteration from the vector that the last call ended with. The divided kernel stays:
    it is what inference sees, and what the optimizer's update starts from, with the gradient by the divided kernel. So do
    Keras on TensorFlow and PyTorch; on JAX, `fit` loses the division again.

    Args:
        layer: a layer with a ``kernel``, or an Embedding.
        power_iterations: how many iterations each call makes.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if isinstance(power_iterations, bool) or not isinstance(power_iterations, int) or power_iterations <= 0:
            raise ArgumentError(
                f"`power_iterations` should be greater than zero. Received: `power_iterations={power_iterations!r}`"
            )
        self.power_iterations = power_iterations
        self.kernel: Any = None
        self.vector_u: Any = None

    def build(self, input_shape: Any) -> None:
        """Build the layer, and make the vector that iterations start from."""
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]} if input_shape[-1] is not None else {})
        found = [getattr(self.layer, name, None) for name in ("kernel", "embeddings")]
        self.kernel = next((kernel for kernel in found if kernel is not None), None)
        if self.kernel is None:
            raise ArgumentError(
                f"SpectralNormalization layer {self.name!r}: {type(self.layer).__name__} object has no attribute 'kernel' "
                "nor 'embeddings'."
            )
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
            name="vector_u",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The layer's outputs, in training with its kernel divided."""
        if training:
            vector, divided = self.normalized_weights()
            self.vector_u.assign(vector)
            # A change that is a constant to the gradient, which is then that by the divided kernel.
            change = ops.stop_gradient(ops.subtract(divided, self.kernel.value))
            self.kernel.assign(ops.add(self.kernel.value, change))
        outputs = self.layer(inputs)
        return ops.cast(outputs, inputs.dtype) if is_float(standardize_dtype(inputs.dtype)) else outputs

    def normalized_weights(self) -> tuple[Any, Any]:
        """The vector that the iterations end with and the divided kernel; both as they are where the kernel is zero."""
        kernel, start = self.kernel, self.vector_u.value
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = start
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)), axis=None)
            u = ops.normalize(ops.matmul(v, matrix), axis=None)
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        is_zero = ops.all(ops.equal(kernel, 0.0))
        # A zero kernel has the singular value 0: dividing by 1 there keeps it, and its gradient, finite.
        sigma = ops.reshape(ops.where(is_zero, 1.0, sigma), ())
        return ops.where(is_zero, start, u), ops.divide(kernel, sigma)

    def get_config(self) -> dict[str, Any]:
        """The layer and the number of iterations."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
