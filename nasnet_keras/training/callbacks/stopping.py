"""What ends a training before its last step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.run import Run


class StopWhenAsked(StepCallback):
    """Ends the training after the step in which any of its workers was told to stop."""

    def on_step(self, logs: dict[str, Any]) -> None:
        stop = self.run.stop
        if self.run.distribution.agree_to_stop(stop.signal is not None):
            stop.agreed = self.model.stop_training = True


class NonFiniteLossError(ArithmeticError):
    """The loss or a weight is infinite or not a number: what follows would be lost work."""


def last_good(run: Run) -> str:
    """Returns which checkpoint a ruined run still has, for an error."""
    if run.checkpoint.exists():
        return f"the last good checkpoint is {run.checkpoint}"
    return "there is no checkpoint yet"


class StopAtNonFiniteLoss(StepCallback):
    """Ends the training where the loss is not finite, before anything is saved.

    A step's loss is looked at once the next one has been handed to the device, which so has work
    while the host waits; or at the end of the epoch.

    Args:
        run: The run.
        describe: Says which batch a step had, e.g. `", images 7 and 9"`.

    Raises:
        NonFiniteLossError: Out of `Model.fit`; names the step, its batch, the learning rate and the
            last good checkpoint.
    """

    def __init__(self, run: Run, describe: Callable[[int], str] = lambda step: "") -> None:
        super().__init__(run)
        self.describe = describe
        self._unread: tuple[int, Any] | None = None

    def on_step(self, logs: dict[str, Any]) -> None:
        self.check()
        # The mean over the epoch so far: one bad loss and it stays so.
        self._unread = self.step, logs.get("loss", 0.0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.check()

    def check(self) -> None:
        """Waits for the last step's loss and looks at it."""
        if self._unread is None:
            return
        (step, loss), self._unread = self._unread, None
        loss = float(loss)
        if math.isfinite(loss):
            return
        # The rate that the step was made with; a schedule counts from 0.
        rate = self.run.learning_rate_at(step - 1)
        raise NonFiniteLossError(
            f"the loss is {loss} at step {step}{self.describe(step)}, learning rate {rate:g}; "
            f"{last_good(self.run)}"
        )
