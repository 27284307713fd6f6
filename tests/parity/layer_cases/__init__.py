"""Parity cases of layers, activation functions and ops: a file for each family, joined in one table."""

from __future__ import annotations

from . import (
    activation,
    attention,
    convolution,
    core,
    masking,
    merging,
    normalization,
    operations,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    wrappers,
)
from .case import Case

LAYER_FAMILIES: dict[str, tuple[Case, ...]] = {
    "activation": activation.CASES,
    "attention": attention.CASES,
    "convolution": convolution.CASES,
    "core": core.CASES,
    "masking": masking.CASES,
    "merging": merging.CASES,
    "normalization": normalization.CASES,
    "operations": operations.CASES,
    "pooling": pooling.CASES,
    "preprocessing": preprocessing.CASES,
    "recurrent": recurrent.CASES,
    "regularization": regularization.CASES,
    "reshaping": reshaping.CASES,
    "wrappers": wrappers.CASES,
}
"""Family to its cases; the fixtures of each family are in files of their own."""

LAYER_CASES: tuple[Case, ...] = tuple(case for cases in LAYER_FAMILIES.values() for case in cases)

__all__ = ["LAYER_CASES", "LAYER_FAMILIES", "Case"]
