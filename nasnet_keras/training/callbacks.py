"""What happens between batches and epochs: the end of the run, its checkpoint and its log."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nasnet_keras.whole_files import written_whole


class SeedEveryEpoch(keras.callbacks.Callback):
    """Sets the random state of every layer at the start of an epoch.

    It follows from seed and epoch alone, so that a resumed run drops and shifts what an
    uninterrupted one would; Keras saves the state of few generators.

    Args:
        seed: Seed of the run.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        random = np.random.default_rng([self.seed, epoch])
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign(random.integers(2**31, size=variable.shape))


class StopAtStep(keras.callbacks.Callback):
    """Ends the training after a number of batches, in the middle of an epoch if need be.

    Args:
        batches: How many more batches to train. They are counted here, because some backends bring
            the optimizer's own count up to date only when an epoch ends.
    """

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.left -= 1
        if self.left <= 0:
            self.model.stop_training = True


class NonFiniteLossError(ArithmeticError):
    """The loss is infinite or no number: what follows would be lost work."""


class StopAtNonFiniteLoss(keras.callbacks.Callback):
    """Ends the training at once where the loss is infinite or no number, before anything is saved.

    Args:
        checkpoint: Where the last complete epoch is saved.
        learning_rate: A number, or a schedule over steps. Not asked of the optimizer: some backends
            bring its count of steps up to date only when an epoch ends.
        first_step: Steps done before, in a run that is continued.

    Raises:
        NonFiniteLossError: Out of `Model.fit`; names the step, the learning rate and the last good
            checkpoint.
    """

    def __init__(
        self, checkpoint: Path, learning_rate: float | Callable[[int], Any], first_step: int = 0
    ) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.learning_rate = learning_rate
        self.step = first_step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += 1
        # The mean over the epoch so far: one bad loss and it stays so.
        loss = float((logs or {}).get("loss", 0.0))
        if math.isfinite(loss):
            return
        rate = self.learning_rate
        # The rate that this step was made with; a schedule counts from 0.
        rate = float(rate(self.step - 1)) if callable(rate) else rate
        good = f"the last good checkpoint is {self.checkpoint}"
        if not self.checkpoint.exists():
            good = "there is no checkpoint yet: no epoch was complete"
        raise NonFiniteLossError(
            f"the loss is {loss} at step {self.step}, learning rate {rate:g}; {good}"
        )


class SaveEveryEpoch(keras.callbacks.Callback):
    """Saves the model and its optimizer after each epoch, and logs the epoch's means.

    Args:
        checkpoint: The `.keras` file to replace each time.
        log: The file to which a JSON line is appended for each epoch. After a kill between log and
            checkpoint the epoch is there twice; the last line counts.
    """

    def __init__(self, checkpoint: Path, log: Path) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.log = log

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        optimizer = self.model.optimizer
        record = {
            "epoch": epoch + 1,
            "step": int(optimizer.iterations),
            "learning_rate": float(optimizer.learning_rate),
            "seconds": round(time.monotonic() - self._began, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        with self.log.open("a") as log:
            log.write(json.dumps(record) + "\n")
        with written_whole(self.checkpoint) as path:
            self.model.save(path)
