"""Parity cases of dropout, noise and penalties."""

from __future__ import annotations

from parity.spec import IMAGE, SEQUENCE, VECTOR

from .case import of

CASES = (
    of("Dropout", "inference", SEQUENCE, rate=0.4, train=False),
    of("Dropout", "rate-zero", VECTOR, rate=0.0, training=True),
    of("Dropout", "rate-zero-seeded", IMAGE, rate=0, seed=5),
    of("Dropout", "noise-shape", SEQUENCE, rate=0.3, noise_shape=(None, 1, 4), seed=7, train=False),
)
