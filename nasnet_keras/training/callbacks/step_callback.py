"""A callback that knows which training step of the run is done."""

from __future__ import annotations

from typing import Any

import keras

from nasnet_keras.training.run import Run


class StepCallback(keras.callbacks.Callback):
    """Knows which training step of the run is done.

    It is counted here, because some backends bring the optimizer's own count up to date only when
    an epoch ends.

    Args:
        run: The run.

    Attributes:
        step: Steps done, those before this start included.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.step = run.first_step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += self.run.steps_per_execution
        self.on_step(logs or {})

    def on_step(self, logs: dict[str, Any]) -> None:
        """Called once `self.step` steps are done."""

    @property
    def run_is_complete(self) -> bool:
        """Whether the last step of the run is done, or one after which it was ended."""
        return self.step >= self.run.length.total_steps or self.run.stop.early

    @property
    def epoch_is_complete(self) -> bool:
        """Whether the last step of an epoch is done, which the end of the run may cut short."""
        return self.step % self.run.length.epoch_steps == 0 or self.run_is_complete
