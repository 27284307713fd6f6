"""The guide's feature extraction: a model that gives the output of every layer of VGG19."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 32, "include_top": False}


def build(side: int = 224, include_top: bool = True) -> graphc.Model:
    """The model, with new weights. Input ``(batch, side, side, 3)``; an output for each layer."""
    vgg19 = graphc.applications.VGG19(weights=None, input_shape=(side, side, 3), include_top=include_top)
    features = [layer.output for layer in vgg19.layers]
    return graphc.Model(inputs=vgg19.input, outputs=features, name="vgg19_features")


def compile_model(model: graphc.Model) -> None:
    """SGD and a mean squared error for the last layer's output."""
    losses = [None] * (len(model.outputs) - 1) + ["mse"]
    model.compile(graphc.optimizers.SGD(1e-2), losses)


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images and targets."""
    rng = np.random.default_rng(seed)
    shapes = (model.input_shape, *model.output_shape)
    images, *targets = (rng.random((rows, *shape[1:]), dtype="float32") for shape in shapes)
    return images, targets
