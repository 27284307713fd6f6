"""Keras's `models`: the classes of models, and models from files."""

from graphc.clone_model import clone_model
from graphc.functional import Functional
from graphc.model import Model
from graphc.saving.model_json import model_from_json
from graphc.saving.whole_model import load_model, save_model
from graphc.sequential import Sequential
from graphc.serialization import use_models

# The model classes that files may name; layers, which may hold models, live below them.
use_models({"Functional": Functional, "Model": Functional, "Sequential": Sequential})

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
