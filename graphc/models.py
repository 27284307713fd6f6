"""Keras's `models`: the classes of models, and models from files."""

from graphc.functional import Functional
from graphc.model import Model
from graphc.saving.model_json import model_from_json
from graphc.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "model_from_json"]
