"""The image models that are compared with Keras's, and how their weights and images are made: the same in both packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).parent / "fixtures"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ModelCase:
    """A model by its constructor's name and arguments.

    Attributes:
        images: the shape of the images that it is run on; None for a case that is only compared in its configuration.
        slow: it takes seconds to make its weights.
    """

    name: str
    constructor: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[int, int, int] | None = None
    slow: bool = False

    def build(self, package: Any) -> Any:
        """The model, of either package, without weights from a file."""
        return getattr(package.applications, self.constructor)(**{"weights": None, **self.arguments})


# Heights and widths differ, so that no transposition is hidden.
CASES = (
    ModelCase("vgg16", "VGG16", slow=True),
    ModelCase("vgg16_top", "VGG16", {"input_shape": (32, 33, 1), "classes": 5, "classifier_activation": "relu"}),
    ModelCase(
        "vgg16_small", "VGG16", {"include_top": False, "input_shape": (40, 33, 3), "pooling": "avg"}, (40, 33, 3)
    ),
    ModelCase("vgg19", "VGG19", slow=True),
    ModelCase("vgg19_features", "VGG19", {"include_top": False, "name": "features"}, (32, 47, 3)),
    ModelCase("resnet50", "ResNet50"),
    ModelCase("resnet50_small", "ResNet50", {"input_shape": (64, 45, 3), "classes": 7}, (64, 45, 3)),
    ModelCase("resnet50_max", "ResNet50", {"include_top": False, "input_shape": (64, 45, 1), "pooling": "max"}),
    ModelCase("mobilenet_v2", "MobileNetV2"),
    ModelCase(
        "mobilenet_v2_small",
        "MobileNetV2",
        {"input_shape": (64, 45, 3), "alpha": 0.5, "classes": 6, "classifier_activation": None},
        (64, 45, 3),
    ),
    ModelCase("mobilenet_v2_wide", "MobileNetV2", {"include_top": False, "alpha": 1.4, "pooling": "avg"}),
)


def small_model(package: Any) -> Any:
    """A model for files of weights: a normalisation, whose weights are not all trained, also inside of another model."""
    layers = package.layers
    inner_inputs = package.Input((3, 2, 4))
    x = layers.Conv2D(5, 1, name="inner_conv")(inner_inputs)
    x = layers.BatchNormalization(name="inner_norm")(x)
    inner = package.Model(inner_inputs, layers.Conv2D(3, 1, use_bias=False, name="inner_last")(x), name="inner")
    inputs = package.Input((6, 5, 2))
    x = layers.Conv2D(4, (2, 3), strides=2, padding="same", name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.MaxPooling2D((1, 2), strides=1, name="pool")(x)
    x = layers.Flatten(name="flatten")(inner(x))
    return package.Model(inputs, layers.Dense(7, name="dense")(x), name="small")


def seeded_weights(shapes: list[tuple[str, tuple[int, ...]]]) -> list[Array]:
    """A weight for each (last part of the name, shape), of sizes that keep numbers from growing or vanishing."""
    random = np.random.RandomState(7)
    return [_weight(random, name, shape) for name, shape in shapes]


def _weight(random: np.random.RandomState, name: str, shape: tuple[int, ...]) -> Array:
    values = random.random_sample(shape)
    if name in ("gamma", "moving_variance"):
        return (0.7 + 0.6 * values).astype(np.float32)
    if len(shape) == 1:
        return (0.2 * values - 0.1).astype(np.float32)
    # A depthwise kernel adds up height times width, every other one its input channels too.
    terms = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
    return ((2.0 * values - 1.0) * np.sqrt(4.0 / terms)).astype(np.float32)


def seeded_images(shape: tuple[int, ...]) -> Array:
    """Two images."""
    return (np.random.RandomState(11).random_sample((2, *shape)) * 2.0 - 1.0).astype(np.float32)


def weight_shapes(model: Any) -> list[tuple[str, tuple[int, ...]]]:
    """The last part of the name and the shape of each weight of a model of either package."""
    return [(weight.path.rpartition("/")[2], tuple(weight.shape)) for weight in model.weights]


def outputs_of(model: Any, images: Array, predict: Callable[[Any, Array], Any]) -> Array:
    """What a model with seeded weights gives for images."""
    model.set_weights(seeded_weights(weight_shapes(model)))
    return np.asarray(predict(model, images))
