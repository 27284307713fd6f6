"""Objects as Keras's files describe them, and back: module, class name, configuration, what it was built for.

This is the one choke point between files and classes. A class name stands for a built-in class of a closed table, or for a
class that the running program handed in (`graphc.custom_objects`); nothing is ever imported by name, and no file can hold
code. Models within models are walked without Python's stack (`graphc.nesting`).

Keras's schema: ``{"module", "class_name", "config", "registered_name"}``, then ``"build_config"`` for layers that are built,
``"compile_config"`` for models and ``"shared_object_id"`` for layers that occur more than once.
"""

from graphc.object_reader import data_value, deserialize_keras_object, layer_task, use_models
from graphc.object_writer import (
    custom_objects_of,
    data_config,
    layer_entry_task,
    serialize_keras_object,
    shared_objects,
    task_beside,
)

__all__ = [
    "custom_objects_of",
    "data_config",
    "data_value",
    "deserialize_keras_object",
    "layer_entry_task",
    "layer_task",
    "serialize_keras_object",
    "shared_objects",
    "task_beside",
    "use_models",
]
