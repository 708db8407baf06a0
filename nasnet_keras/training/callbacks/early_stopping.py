"""The end of a run whose network gets no better, as a recipe asks for it."""

from __future__ import annotations

from typing import Any

import keras


class StopEarly(keras.callbacks.EarlyStopping):
    """Ends a run when a value has not become better for some epochs that have one.

    Args:
        monitor: The value; a loss is better when it is smaller, all else when it is larger.
        patience: So many values in a row may be no better.
        min_delta: What is better by no more than this is not.
    """

    def __init__(self, monitor: str, patience: int, min_delta: float) -> None:
        mode = "min" if monitor.endswith("loss") else "max"
        super().__init__(monitor, min_delta, patience, mode=mode)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Not every epoch is evaluated; Keras would warn of the others.
        if logs and self.monitor in logs:
            super().on_epoch_end(epoch, logs)
