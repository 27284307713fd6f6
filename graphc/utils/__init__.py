"""Keras's `utils`: what does not belong to one model."""

from graphc.backend import standardize_dtype
from graphc.callbacks.progress import Progbar
from graphc.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from graphc.naming import clear_session
from graphc.plotting import model_to_dot, plot_model
from graphc.seeding import set_random_seed
from graphc.serialization import deserialize_keras_object, serialize_keras_object
from graphc.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from graphc.utils.files import get_file
from graphc.utils.numerical import normalize, to_categorical
from graphc.utils.py_dataset import PyDataset, Sequence
from graphc.utils.sequences import pad_sequences
from graphc.utils.tensors import get_source_inputs, is_keras_tensor

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
