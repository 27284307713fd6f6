"""Parity cases of layers with several inputs."""

from __future__ import annotations

from parity.spec import IMAGE, SEQUENCE, VECTOR

from .case import fn, of

PAIR = (SEQUENCE, SEQUENCE)
TRIPLE = (SEQUENCE, SEQUENCE, SEQUENCE)
CASES = (
    *(
        of(layer, label, *shapes)
        for layer in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for label, shapes in (
            ("two", PAIR),
            ("three", TRIPLE),
            ("broadcast-ones", (IMAGE, (1, 9, 1), (7, 1, 4))),
            ("broadcast-rank", (SEQUENCE, VECTOR)),
        )
    ),
    fn("Add/one", lambda k, x: k.layers.Add()([x]), SEQUENCE),
    of("Subtract", "two", *PAIR),
    of("Subtract", "images", IMAGE, IMAGE),
    of("Subtract", "broadcast-ones", SEQUENCE, (1, 4)),
    of("Subtract", "broadcast-rank", SEQUENCE, VECTOR),
    of("Concatenate", "last", SEQUENCE, (6, 3)),
    of("Concatenate", "three", VECTOR, (3,), (5,)),
    of("Concatenate", "axis1", SEQUENCE, (2, 4), axis=1),
    of("Concatenate", "axis2", IMAGE, (7, 2, 4), axis=2),
    of("Concatenate", "axis-2", IMAGE, (7, 3, 4), axis=-2),
    of("Concatenate", "integers", SEQUENCE, (6, 3), dtype="int32"),
    fn("Add/twin", lambda k, a, b, c: k.layers.add([a, b, c]), *TRIPLE),
    fn("Subtract/twin", lambda k, a, b: k.layers.subtract([a, b]), *PAIR),
    fn("Multiply/twin", lambda k, a, b: k.layers.multiply([a, b]), *PAIR),
    fn("Average/twin", lambda k, a, b, c: k.layers.average([a, b, c]), *TRIPLE),
    fn("Maximum/twin", lambda k, a, b: k.layers.maximum([a, b]), *PAIR),
    fn("Minimum/twin", lambda k, a, b: k.layers.minimum([a, b]), *PAIR),
    fn("Concatenate/twin", lambda k, a, b: k.layers.concatenate([a, b], axis=1), SEQUENCE, (3, 4)),
    of("Dot", "vectors", VECTOR, VECTOR, axes=1),
    of("Dot", "vectors-normalized", VECTOR, VECTOR, axes=-1, normalize=True),
    of("Dot", "steps", SEQUENCE, (5, 4), axes=2),
    of("Dot", "steps-axis1", SEQUENCE, (6, 3), axes=1, normalize=True),
    of("Dot", "two-axes", SEQUENCE, (3, 6), axes=(1, 2)),
    of("Dot", "two-axes-from-the-end", SEQUENCE, (4, 3), axes=[-1, -2]),
    of("Dot", "vector-by-steps", VECTOR, SEQUENCE, axes=(1, 2)),
    of("Dot", "steps-by-vector", SEQUENCE, VECTOR, axes=(2, 1)),
    of("Dot", "images", IMAGE, (4, 5, 3), axes=(3, 1)),
    of("Dot", "image-by-vector", IMAGE, (9,), axes=(2, 1)),
    of("Dot", "dynamic", SEQUENCE, (5, 4), declared=((None, 4), (None, 4)), axes=2),
    fn("Dot/twin", lambda k, a, b: k.layers.dot([a, b], axes=2, normalize=True), SEQUENCE, (5, 4)),
)
