"""Parity cases of masks: layers that make, pass, use and drop them, and losses behind them."""

from __future__ import annotations

from typing import Any

from parity.spec import SEQUENCE

from .case import Case, fn, of

IDS = {"dtype": "int32", "integers": (0, 4), "probe": False}
PAIR = ((6,), (6,))


def embedded(k: Any, x: Any, size: int = 5) -> Any:
    """Rows of an Embedding whose 0 is padding."""
    return k.layers.Embedding(4, size, mask_zero=True)(x)


def behind(name: str, *layers: tuple[str, dict[str, Any]], **options: Any) -> Case:
    """Layers one behind the other on masked rows; the mean over the unmasked steps at the end shows what mask came through."""

    def build(k: Any, x: Any) -> Any:
        y = embedded(k, x)
        for layer, config in layers:
            y = getattr(k.layers, layer)(**config)(y)
        return k.layers.GlobalAveragePooling1D()(y)

    return fn(f"masks/{name}", build, (6,), **{**IDS, **options})


def merged(name: str, layer: str, **config: Any) -> Case:
    """A merging layer on two inputs with different masks."""

    def build(k: Any, a: Any, b: Any) -> Any:
        y = getattr(k.layers, layer)(**config)([embedded(k, a), embedded(k, b)])
        return [y, k.layers.GlobalAveragePooling1D()(y)]

    return fn(f"masks/{name}", build, *PAIR, **IDS)


def half_masked(k: Any, a: Any, b: Any, layer: str) -> Any:
    """A merging layer of which one input has a mask."""
    plain = k.layers.Embedding(4, 5)(b)
    y = getattr(k.layers, layer)()([embedded(k, a), plain])
    return [y, k.layers.GlobalAveragePooling1D()(y)]


def transformer(k: Any, x: Any) -> Any:
    """Attention of a masked sequence to itself, with the sequence added."""
    rows = embedded(k, x, 4)
    seen = k.layers.MultiHeadAttention(2, 3)(rows, rows, use_causal_mask=True)
    y = k.layers.LayerNormalization()(k.layers.Add()([rows, seen]))
    return k.layers.GlobalAveragePooling1D()(y)


def translation(k: Any, a: Any, b: Any) -> Any:
    """One masked sequence attends to another."""
    return k.layers.MultiHeadAttention(2, 3)(embedded(k, a, 4), embedded(k, b, 5))


def translation_scores(k: Any, a: Any, b: Any) -> Any:
    """One masked sequence attends to another, and shows how."""
    return list(k.layers.MultiHeadAttention(2, 3)(embedded(k, a, 4), embedded(k, b, 5), return_attention_scores=True))


def grouped(k: Any, a: Any, b: Any) -> Any:
    """One masked sequence attends to another in groups of heads."""
    y = k.layers.GroupQueryAttention(3, 4, 2)(embedded(k, a), embedded(k, b))
    return k.layers.GlobalAveragePooling1D()(y)


def attended(k: Any, a: Any, b: Any, layer: str) -> Any:
    """Attention between masked sequences, whose output has the mask of the first."""
    y = getattr(k.layers, layer)()([embedded(k, a), embedded(k, b)])
    return [y, k.layers.GlobalAveragePooling1D()(y)]


CASES: tuple[Case, ...] = (
    of("Masking", "plain", SEQUENCE, blank=0.5, probe=False),
    of("Masking", "value", SEQUENCE, mask_value=1.5),
    of("Masking", "dynamic", SEQUENCE, declared=((None, 4),), blank=0.4, probe=False),
    of("Masking", "rank4", (6, 3, 4), blank=0.5, probe=False),
    fn("masks/masking", lambda k, x: k.layers.GlobalAveragePooling1D()(k.layers.Masking()(x)), SEQUENCE, blank=0.5,
       probe=False, train=False),
    fn("masks/masking-dense", lambda k, x: k.layers.Dense(3, activation="tanh")(k.layers.Masking()(x)), SEQUENCE, blank=0.5,
       probe=False),
    fn("masks/loss", embedded, (6,), **IDS),
    fn("masks/no-mask", lambda k, x: k.layers.GlobalAveragePooling1D()(k.layers.Embedding(4, 5)(x)), (6,), **IDS),
    behind("pooling"),
    behind("dense", ("Dense", {"units": 3})),
    behind("dropout", ("Dropout", {"rate": 0.0})),
    behind("noise", ("GaussianNoise", {"stddev": 0.0}), ("AlphaDropout", {"rate": 0.0}), ("GaussianDropout", {"rate": 0.0})),
    behind("spatial-dropout", ("SpatialDropout1D", {"rate": 0.0})),
    behind("activation", ("Activation", {"activation": "tanh"}), ("LeakyReLU", {}), ("ELU", {}), ("ReLU", {})),
    behind("prelu", ("PReLU", {"shared_axes": [1]})),
    behind("softmax", ("Activation", {"activation": "softmax"})),
    behind("identity", ("Identity", {}), ("ActivityRegularization", {"l2": 0.01})),
    behind("layer-normalization", ("LayerNormalization", {}), ("UnitNormalization", {}), atol=4e-6),
    behind("group-normalization", ("GroupNormalization", {"groups": 5}), atol=4e-6),
    behind("batch-normalization", ("BatchNormalization", {"momentum": 0.7}), training=True, atol=4e-6),
    behind("dynamic", ("Dense", {"units": 3}), declared=((None,),)),
    # These have no masks: the mean is over all steps.
    behind("dropped-by-einsum", ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (6, 3)})),
    behind("dropped-by-rms", ("RMSNormalization", {}), atol=4e-6),
    merged("add", "Add"),
    merged("subtract", "Subtract"),
    merged("multiply", "Multiply"),
    merged("average", "Average"),
    merged("maximum", "Maximum"),
    merged("minimum", "Minimum"),
    merged("concatenate", "Concatenate"),
    merged("concatenate-steps", "Concatenate", axis=1),
    fn("masks/add-half", lambda k, a, b: half_masked(k, a, b, "Add"), *PAIR, **IDS),
    fn("masks/multiply-half", lambda k, a, b: half_masked(k, a, b, "Multiply"), *PAIR, **IDS),
    fn("masks/maximum-half", lambda k, a, b: half_masked(k, a, b, "Maximum"), *PAIR, **IDS),
    fn("masks/concatenate-half", lambda k, a, b: half_masked(k, a, b, "Concatenate"), *PAIR, **IDS),
    fn("masks/dot", lambda k, a, b: k.layers.Dot(axes=2)([embedded(k, a), embedded(k, b)]), *PAIR, **IDS),
    fn("masks/attention", lambda k, a, b: attended(k, a, b, "Attention"), *PAIR, **IDS),
    fn("masks/additive-attention", lambda k, a, b: attended(k, a, b, "AdditiveAttention"), *PAIR, **IDS),
    fn("masks/transformer", transformer, (6,), **IDS, atol=4e-6),
    fn("masks/translation", translation, (6,), (7,), **IDS),
    fn("masks/translation-scores", translation_scores, (6,), (7,), **{**IDS, "train": False}),
    fn("masks/grouped-query", grouped, (6,), (7,), **IDS),
    fn("masks/reversible", lambda k, x: k.layers.ReversibleEmbedding(4, 5, mask_zero=True)(x), (6,), **IDS),
    fn("masks/lambda", lambda k, x: k.layers.GlobalAveragePooling1D()(
        k.layers.Lambda(k.activations.tanh, mask=None)(embedded(k, x))), (6,), **IDS),
)  # fmt: skip
