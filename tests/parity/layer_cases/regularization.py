"""Parity cases of dropout, noise and penalties. Random numbers are not Keras's: rows run without them."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_FIRST, SEQUENCE, VECTOR, VOLUME, VOLUME_FIRST

from .case import of

CASES = (
    of("Dropout", "inference", SEQUENCE, rate=0.4, train=False),
    of("Dropout", "rate-zero", VECTOR, rate=0.0, training=True),
    of("Dropout", "rate-zero-seeded", IMAGE, rate=0, seed=5),
    of("Dropout", "noise-shape", SEQUENCE, rate=0.3, noise_shape=(None, 1, 4), seed=7, train=False),
    of("Dropout", "all", SEQUENCE, rate=1.0, training=True, train=False),
    of("SpatialDropout1D", "inference", SEQUENCE, rate=0.4, train=False),
    of("SpatialDropout1D", "rate-zero", SEQUENCE, rate=0.0, training=True),
    of("SpatialDropout1D", "seeded", SEQUENCE, declared=((None, 4),), rate=0.2, seed=3, train=False),
    of("SpatialDropout1D", "all", SEQUENCE, rate=1, training=True, train=False),
    of("SpatialDropout2D", "inference", IMAGE, rate=0.4, train=False),
    of("SpatialDropout2D", "rate-zero", IMAGE, rate=0.0, training=True, seed=2),
    of("SpatialDropout2D", "channels-first", IMAGE_FIRST, rate=0.4, data_format="channels_first", train=False),
    of("SpatialDropout2D", "all", IMAGE_FIRST, rate=1.0, data_format="channels_first", training=True, train=False),
    of("SpatialDropout3D", "inference", VOLUME, rate=0.4, train=False),
    of("SpatialDropout3D", "rate-zero", VOLUME, rate=0.0, training=True),
    of("SpatialDropout3D", "channels-first", VOLUME_FIRST, rate=0.4, data_format="channels_first", seed=9, train=False),
    of("SpatialDropout3D", "all", VOLUME, rate=1.0, training=True, train=False),
    of("GaussianNoise", "inference", SEQUENCE, stddev=0.4, train=False),
    of("GaussianNoise", "zero", SEQUENCE, stddev=0.0, training=True),
    of("GaussianNoise", "seeded", IMAGE, stddev=0.9, seed=6, train=False),
    of("GaussianNoise", "integer", VECTOR, stddev=1, train=False),
    of("GaussianDropout", "inference", SEQUENCE, rate=0.4, train=False),
    of("GaussianDropout", "rate-zero", SEQUENCE, rate=0.0, training=True),
    of("GaussianDropout", "seeded", IMAGE, rate=0.9, seed=6, train=False),
    of("GaussianDropout", "dynamic", SEQUENCE, declared=((None, 4),), rate=0.5, train=False),
    of("AlphaDropout", "inference", SEQUENCE, rate=0.4, train=False),
    of("AlphaDropout", "rate-zero", SEQUENCE, rate=0.0, training=True),
    of("AlphaDropout", "noise-shape", SEQUENCE, rate=0.3, noise_shape=(None, 1, 4), seed=7, train=False),
    of("AlphaDropout", "dynamic", SEQUENCE, declared=((None, 4),), rate=0.5, train=False),
    of("ActivityRegularization", "plain", SEQUENCE),
    of("ActivityRegularization", "l1", SEQUENCE, l1=0.03),
    of("ActivityRegularization", "l2", VECTOR, l2=0.07),
    of("ActivityRegularization", "both", IMAGE, l1=0.01, l2=0.02),
)
