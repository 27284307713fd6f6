"""The guide's visual question answering: an image and a question in, one word of a vocabulary out."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc

SMALL: dict[str, Any] = {"side": 30, "filters": 3, "words": 50, "length": 6, "units": 8, "answers": 11}


def build_vision_model(side: int = 224, filters: int = 64) -> graphc.Model:
    """An image ``(batch, side, side, 3)`` as one vector: a Sequential model."""
    layers = graphc.layers
    model = graphc.Sequential(name="vision_model")
    model.add(layers.Conv2D(filters, (3, 3), activation="relu", padding="same", input_shape=(side, side, 3)))
    model.add(layers.Conv2D(filters, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(2 * filters, (3, 3), activation="relu", padding="same"))
    model.add(layers.Conv2D(2 * filters, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(4 * filters, (3, 3), activation="relu", padding="same"))
    model.add(layers.Conv2D(4 * filters, (3, 3), activation="relu"))
    model.add(layers.Conv2D(4 * filters, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    return model


def build_question_encoder(words: int = 10000, length: int = 100, units: int = 256) -> graphc.Model:
    """A question ``(batch, length)`` of word numbers as a vector ``(batch, units)``."""
    question = graphc.Input(shape=(length,), dtype="int32", name="question")
    embedded = graphc.layers.Embedding(input_dim=words, output_dim=units, name="words")(question)
    return graphc.Model(question, graphc.layers.LSTM(units)(embedded), name="question_encoder")


def build(
    side: int = 224,
    filters: int = 64,
    words: int = 10000,
    length: int = 100,
    units: int = 256,
    answers: int = 1000,
) -> graphc.Model:
    """The model, with new weights.

    Inputs ``image``, ``(batch, side, side, 3)``, and ``question``, ``(batch, length)`` word numbers; output
    ``(batch, answers)``: probabilities.
    """
    image = graphc.Input(shape=(side, side, 3), name="image")
    encoded_image = build_vision_model(side, filters)(image)
    encoder = build_question_encoder(words, length, units)
    merged = graphc.layers.concatenate([encoder.output, encoded_image])
    answer = graphc.layers.Dense(answers, activation="softmax", name="answer")(merged)
    return graphc.Model(inputs=[image, encoder.input], outputs=answer, name="visual_question")


def compile_model(model: graphc.Model) -> None:
    """Adam and the cross-entropy of the answer's number."""
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random images and questions, with random answers."""
    rng = np.random.default_rng(seed)
    image_shape, question_shape = model.input_shape
    images = rng.random((rows, *image_shape[1:]), dtype="float32")
    questions = rng.integers(1, model.get_layer("words").input_dim, (rows, question_shape[-1])).astype("int32")
    return [images, questions], rng.integers(0, model.output_shape[-1], rows)
