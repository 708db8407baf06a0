"""The callbacks of a run, given a step's values as the backend has them."""

from __future__ import annotations

from typing import Any

import keras


class StepValues(keras.callbacks.CallbackList):
    """`keras.callbacks.CallbackList` that does not wait for a step's values.

    Keras makes numbers of them after each step, for which the host waits until the device is done;
    only then would it prepare the next step. Here a callback waits where it asks for
    `float(value)`.

    Args: As `keras.callbacks.CallbackList`.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)
