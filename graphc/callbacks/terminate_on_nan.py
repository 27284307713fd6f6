"""Stopping when the loss is no longer a number."""

from __future__ import annotations

import math

from graphc.callbacks.callback import Callback, Logs
from graphc.callbacks.progress import print_message
from graphc.errors import ExecutionError


class TerminateOnNaN(Callback):
    """Ends training after a batch whose running loss is NaN or infinite.

    Args:
        raise_error: raise instead of ending quietly, so that what comes behind ``fit`` does not take the run for good.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss.

        Raises:
            ExecutionError: it is not finite, and ``raise_error`` is set.
        """
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise ExecutionError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating training immediately."
            )
        print_message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
