"""The explicit table of all NumPy kernels."""

from __future__ import annotations

from graphc.runtimes import (
    np_activation,
    np_bitwise,
    np_comparison,
    np_convolution,
    np_elementwise,
    np_linalg,
    np_movement,
    np_normalization,
    np_pooling,
    np_random,
    np_recurrent,
    np_reduction,
    np_resize,
    np_scan,
    np_select,
    np_softmax,
    np_source,
)
from graphc.runtimes.kernel import Kernel

KERNELS: dict[str, Kernel] = {
    **np_source.KERNELS,
    **np_elementwise.KERNELS,
    **np_activation.KERNELS,
    **np_comparison.KERNELS,
    **np_bitwise.KERNELS,
    **np_select.KERNELS,
    **np_random.KERNELS,
    **np_linalg.KERNELS,
    **np_reduction.KERNELS,
    **np_recurrent.KERNELS,
    **np_movement.KERNELS,
    **np_softmax.KERNELS,
    **np_normalization.KERNELS,
    **np_convolution.KERNELS,
    **np_pooling.KERNELS,
    **np_scan.KERNELS,
    **np_resize.KERNELS,
}
