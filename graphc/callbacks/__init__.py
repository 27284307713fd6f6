"""Callbacks: what is done at points of training."""

from __future__ import annotations

from graphc.callbacks.callback import Callback
from graphc.callbacks.callback_list import CallbackList
from graphc.callbacks.csv_logger import CSVLogger
from graphc.callbacks.early_stopping import EarlyStopping
from graphc.callbacks.history import History
from graphc.callbacks.lambda_callback import LambdaCallback
from graphc.callbacks.model_checkpoint import ModelCheckpoint
from graphc.callbacks.progress import Progbar, ProgbarLogger
from graphc.callbacks.reduce_lr import LearningRateScheduler, ReduceLROnPlateau
from graphc.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Progbar",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
