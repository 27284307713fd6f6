"""A small convolutional network for the handwritten digits that ship with graphc, from training to ONNX Runtime.

    python models/digits_cnn.py [--folder OUT] [--epochs N]

Trains with NumPy alone, exports to ONNX, runs the file in ONNX Runtime and compares the answers.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {}


def build() -> graphc.Model:
    """The model, with new weights. Input ``(batch, 8, 8, 1)`` named ``image``, output ``(batch, 10)`` named ``logits``."""
    layers = graphc.layers
    inputs = graphc.Input(shape=(8, 8, 1), name="image")
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="conv_1")(inputs)
    x = layers.BatchNormalization(name="norm_1")(x)
    x = layers.Activation("relu", name="relu_1")(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    x = layers.Dense(64, activation="relu", name="hidden")(x)
    outputs = layers.Dense(10, name="logits")(x)
    return graphc.Model(inputs, outputs, name="digits_cnn")


def compile_model(model: graphc.Model) -> None:
    """Adam and the cross-entropy of labels."""
    model.compile(
        optimizer=graphc.optimizers.Adam(2e-3),
        loss=graphc.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images, with random labels."""
    rng = np.random.default_rng(seed)
    return rng.random((rows, *model.input_shape[1:]), dtype="float32"), rng.integers(0, 10, rows)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits as float32 images of shape ``(n, 8, 8, 1)`` from 0 to 1, with labels."""
    (x_train, y_train), (x_test, y_test) = graphc.datasets.digits.load_data()

    def scaled(images: np.ndarray) -> np.ndarray:
        return (images.astype("float32") / 16.0)[..., None]

    return (scaled(x_train), y_train), (scaled(x_test), y_test)


def run(folder: Path, epochs: int) -> int:
    """Train, export, run in ONNX Runtime, compare. Gives 0 when both runtimes agree."""
    from graphc.runtimes import ort_runtime

    graphc.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = load_data()
    model = build()
    model.summary()
    compile_model(model)
    start = time.perf_counter()
    model.fit(x_train, y_train, batch_size=64, epochs=epochs, verbose=2)
    seconds = time.perf_counter() - start

    folder.mkdir(parents=True, exist_ok=True)
    onnx_file, json_file, weights_file = (folder / f"digits_cnn{e}" for e in (".onnx", ".json", ".weights.h5"))
    model.export(onnx_file)
    json_file.write_text(model.to_json(indent=1))
    model.save_weights(weights_file)

    ours = model.predict(x_test, verbose=0)
    theirs = ort_runtime.prepare(onnx_file).run({"image": x_test})["logits"]
    accuracies = [float(np.mean(logits.argmax(axis=-1) == y_test)) for logits in (ours, theirs)]
    same = int(np.sum(ours.argmax(axis=-1) == theirs.argmax(axis=-1)))
    difference = float(np.max(np.abs(ours - theirs)))
    agrees = same == len(y_test) and difference <= 1e-5
    print(f"\ntrained on {len(x_train)} digits with NumPy in {seconds:.1f} s")
    print(f"test accuracy, NumPy:        {accuracies[0]:.2%} of {len(x_test)} digits")
    print(f"test accuracy, ONNX Runtime: {accuracies[1]:.2%}")
    print(f"agreement: {same} of {len(y_test)} predictions equal, largest difference of a logit {difference:.1e}"
          f" ({'ok' if agrees else 'TOO LARGE'})")  # fmt: skip
    print(f"files: {onnx_file}, {json_file}, {weights_file}")
    return 0 if agrees else 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("digits_out"), help="where the files go")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    return run(arguments.folder, arguments.epochs)


if __name__ == "__main__":
    sys.exit(main())
