"""To be written."""

from graphc.runtimes.kernel import Kernel

KERNELS: dict[str, Kernel] = {}
