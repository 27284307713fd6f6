"""graphc: write models with the Keras functional API, train them with NumPy, ship them as ONNX."""

from graphc import (
    activations,
    applications,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    regularizers,
    saving,
    utils,
)
from graphc._version import __version__
from graphc.functional import Functional
from graphc.layers import Input, InputSpec, Layer
from graphc.layers.symbolic import SymbolicTensor
from graphc.model import Model
from graphc.ops.functional.variable import Variable
from graphc.sequential import Sequential

KerasTensor = SymbolicTensor

__all__ = [
    "Functional",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "regularizers",
    "saving",
    "utils",
]
