"""Writes what Keras gives for the image models into ``fixtures``. Run it with a Python that has Keras 3:

KERAS_BACKEND=jax python tests/applications/make_fixtures.py
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from applications.image_models import (
    CASES,
    FIXTURES,
    outputs_of,
    seeded_images,
    seeded_weights,
    small_model,
    weight_shapes,
)

SHAPES = (
    ((2, 4, 5, 3), "channels_last"),
    ((4, 5, 3), "channels_last"),
    ((2, 3, 4, 5), "channels_first"),
    ((3, 2, 4), "channels_first"),
)


def predict(model: Any, images: Any) -> Any:
    """Keras's own prediction."""
    return model.predict(images, verbose=0)


def preprocessed(keras: Any) -> dict[str, Any]:
    """What `preprocess_input` makes of arrays in each mode and format."""
    found = {}
    for mode in ("caffe", "tf", "torch"):
        for shape, data_format in (
            ((2, 4, 3, 3), "channels_last"),
            ((2, 3, 4, 5), "channels_first"),
            ((3, 2, 4), "channels_first"),
        ):
            pixels = np.random.RandomState(3).randint(0, 256, shape).astype(np.float32)
            call = keras.applications.imagenet_utils.preprocess_input
            found[f"{mode} {shape}"] = call(pixels, data_format=data_format, mode=mode).tolist()
    return found


def write_weight_files(keras: Any) -> None:
    """The same weights in each format that Keras writes: old with the weights alone, old with the model, and new."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    keras.utils.clear_session()
    model = small_model(keras)
    model.set_weights(seeded_weights(weight_shapes(model)))
    with h5py.File(FIXTURES / "small_old.h5", "w") as file:
        save_weights_to_hdf5_group(file, model)
    model.save(FIXTURES / "small_model.h5")
    model.save_weights(FIXTURES / "small_new.weights.h5")


def main() -> None:
    """Writes every fixture."""
    import keras

    FIXTURES.mkdir(exist_ok=True)
    outputs = {}
    for case in CASES:
        keras.utils.clear_session()
        model = case.build(keras)
        facts = {
            "json": model.to_json(),
            "weights": [(weight.path, list(weight.shape)) for weight in model.weights],
            "count": model.count_params(),
        }
        data = json.dumps(facts, separators=(",", ":")).encode()
        (FIXTURES / f"{case.name}.json.gz").write_bytes(gzip.compress(data, mtime=0))
        if case.images is not None:
            assert weight_shapes(model)
            outputs[case.name] = outputs_of(model, seeded_images(case.images), predict)
            print(case.name, outputs[case.name].shape, float(np.std(outputs[case.name])))
    write_weight_files(keras)
    np.savez_compressed(FIXTURES / "outputs.npz", **outputs)
    text = json.dumps(preprocessed(keras), separators=(",", ":"))
    (FIXTURES / "preprocess.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
