"""Keras's second address of ResNet50; see `graphc.applications.resnet`."""

from graphc.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
