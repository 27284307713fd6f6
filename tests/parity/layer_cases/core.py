"""Parity cases of Dense and the other core layers."""

from __future__ import annotations

from parity.spec import IMAGE, SEQUENCE, VECTOR, Obj

from .case import L2, of

CASES = (
    of("Dense", "plain", VECTOR, units=5),
    of("Dense", "no-bias", VECTOR, units=7, use_bias=False),
    of("Dense", "relu-rank3", SEQUENCE, units=5, activation="relu"),
    of("Dense", "tanh-rank4", (2, 3, 4), units=5, activation="tanh"),
    of("Dense", "softmax", VECTOR, units=6, activation="softmax"),
    of("Dense", "gelu-wide", (37,), units=3, activation="gelu"),
    of("Dense", "one-unit", VECTOR, units=1, activation="sigmoid"),
    of("Dense", "dynamic-steps", SEQUENCE, declared=((None, 4),), units=5, activation="silu"),
    of(
        "Dense",
        "regularised",
        VECTOR,
        units=5,
        kernel_initializer="he_normal",
        bias_initializer="ones",
        kernel_regularizer=L2,
        bias_regularizer="l1",
        kernel_constraint=Obj("constraints", "MaxNorm", {"max_value": 1.5}),
        bias_constraint="non_neg",
    ),
    of(
        "Dense",
        "initialisers",
        VECTOR,
        units=5,
        kernel_initializer=Obj("initializers", "RandomNormal", {"mean": 0.0, "stddev": 0.2, "seed": 3}),
        bias_initializer=Obj("initializers", "Constant", {"value": 0.3}),
    ),
    of("Dense", "frozen", VECTOR, units=5, trainable=False, activation="elu"),
    of("Identity", "image", IMAGE),
    of("Identity", "integers", SEQUENCE, dtype="int32"),
)
