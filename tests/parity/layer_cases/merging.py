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
)
