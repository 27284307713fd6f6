"""The guide's video question answering: the vision model on every frame, its weights shared over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from visual_question import build_question_encoder, build_vision_model

import graphc

SMALL: dict[str, Any] = {"frames": 3, "side": 30, "filters": 3, "words": 50, "length": 6, "units": 8, "answers": 11}


def build(
    frames: int = 100,
    side: int = 224,
    filters: int = 64,
    words: int = 10000,
    length: int = 100,
    units: int = 256,
    answers: int = 1000,
) -> graphc.Model:
    """The model, with new weights.

    Inputs ``video``, ``(batch, frames, side, side, 3)``, and ``video_question``, ``(batch, length)`` word numbers; output
    ``(batch, answers)``: probabilities.
    """
    layers = graphc.layers
    video = graphc.Input(shape=(frames, side, side, 3), name="video")
    encoded_frames = layers.TimeDistributed(build_vision_model(side, filters), name="each_frame")(video)
    encoded_video = layers.LSTM(units, name="video_encoder")(encoded_frames)
    question = graphc.Input(shape=(length,), dtype="int32", name="video_question")
    encoded_question = build_question_encoder(words, length, units)(question)
    merged = layers.concatenate([encoded_video, encoded_question])
    answer = layers.Dense(answers, activation="softmax", name="answer")(merged)
    return graphc.Model(inputs=[video, question], outputs=answer, name="video_question")


def compile_model(model: graphc.Model) -> None:
    """Adam and the cross-entropy of the answer's number."""
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")


def samples(model: graphc.Model, rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Random videos and questions, with random answers."""
    rng = np.random.default_rng(seed)
    video_shape, question_shape = model.input_shape
    videos = rng.random((rows, *video_shape[1:]), dtype="float32")
    questions = rng.integers(
        1, model.get_layer("question_encoder").get_layer("words").input_dim, (rows, question_shape[-1])
    ).astype("int32")
    return [videos, questions], rng.integers(0, model.output_shape[-1], rows)
