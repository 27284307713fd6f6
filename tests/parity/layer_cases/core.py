"""Parity cases of Dense and the other core layers."""

from __future__ import annotations

from typing import Any

from parity.spec import IMAGE, SEQUENCE, VECTOR, Function, Obj

from .case import L1L2, L2, fn, of


def there_and_back(layer: Any, x: Any) -> Any:
    """A ReversibleEmbedding's rows, and the scores of these rows."""
    rows = layer(x)
    return [rows, layer(rows * 2.0, reverse=True)]


IDS = {"dtype": "int32", "integers": (0, 9), "probe": False}

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
    of("EinsumDense", "dense", VECTOR, equation="ab,bc->ac", output_shape=5, bias_axes="c"),
    of(
        "EinsumDense",
        "steps",
        SEQUENCE,
        equation="abc,cd->abd",
        output_shape=(6, 5),
        bias_axes="d",
        activation="tanh",
    ),
    of("EinsumDense", "swapped", SEQUENCE, equation="abc,bd->adc", output_shape=(3, 4), bias_axes="d"),
    of(
        "EinsumDense", "all-axes", SEQUENCE, equation="abc,bcd->ad", output_shape=(7,), bias_axes="d", activation="relu"
    ),
    of("EinsumDense", "heads", SEQUENCE, equation="abc,cde->abde", output_shape=(6, 3, 5), bias_axes="de"),
    of("EinsumDense", "two-bias-axes", IMAGE, equation="abcd,de->abce", output_shape=(7, 9, 5), bias_axes="be"),
    of("EinsumDense", "ellipsis-left", IMAGE, equation="...x,xy->...y", output_shape=3, bias_axes="y"),
    of("EinsumDense", "ellipsis-left-two", IMAGE, equation="...xy,yz->...xz", output_shape=(9, 3), bias_axes="xz"),
    of("EinsumDense", "ellipsis-right", IMAGE, equation="ab...,bc->ac...", output_shape=3, bias_axes="c"),
    of(
        "EinsumDense", "no-bias", SEQUENCE, equation="abc,bcd->abd", output_shape=(6, 5), kernel_initializer="he_normal"
    ),
    of(
        "EinsumDense",
        "dynamic",
        SEQUENCE,
        declared=((None, 4),),
        equation="abc,cd->abd",
        output_shape=(None, 5),
        bias_axes="d",
        kernel_regularizer=L1L2,
        bias_constraint="non_neg",
    ),
    of("Embedding", "steps", (6,), **IDS, input_dim=9, output_dim=4),
    of("Embedding", "matrix", (5, 3), **IDS, input_dim=11, output_dim=2, embeddings_regularizer=L2),
    of("Embedding", "mask-zero", (6,), **IDS, input_dim=9, output_dim=4, mask_zero=True),
    of(
        "Embedding",
        "int64",
        (6,),
        **{**IDS, "dtype": "int64"},
        input_dim=9,
        output_dim=3,
        embeddings_constraint="unit_norm",
    ),
    of("Embedding", "from-the-end", (6,), **{**IDS, "integers": (-9, 9)}, input_dim=9, output_dim=4),
    of("Embedding", "floats-are-cut", (6,), spread=4.0, train=False, input_dim=9, output_dim=3),
    of(
        "Embedding",
        "dynamic",
        (6,),
        **IDS,
        declared=((None,),),
        input_dim=9,
        output_dim=4,
        embeddings_initializer="ones",
    ),
    of("ReversibleEmbedding", "tied", (6,), **IDS, call=there_and_back, input_dim=9, output_dim=4),
    of("ReversibleEmbedding", "untied", (6,), **IDS, call=there_and_back, input_dim=9, output_dim=4, tie_weights=False),
    of(
        "ReversibleEmbedding", "capped", (6,), **IDS, call=there_and_back, input_dim=9, output_dim=4, logit_soft_cap=0.7
    ),
    of(
        "ReversibleEmbedding", "masked", (6,), **IDS, input_dim=9, output_dim=4, mask_zero=True, reverse_dtype="float32"
    ),
    of("Lambda", "relu", SEQUENCE, function=Function("activations", "relu"), arguments={"max_value": 1.25}),
    of("Lambda", "softmax", SEQUENCE, function=Function("activations", "softmax"), arguments={"axis": 1}),
    of("Lambda", "output-shape", IMAGE, function=Function("activations", "gelu"), output_shape=IMAGE),
    of("Lambda", "dynamic", SEQUENCE, declared=((None, 4),), function=Function("activations", "elu"), trainable=False),
    of("Identity", "image", IMAGE),
    fn("Identity/pair", lambda k, x, y: k.layers.Identity()([x, y]), SEQUENCE, VECTOR),
    of("Identity", "integers", SEQUENCE, dtype="int32"),
)
