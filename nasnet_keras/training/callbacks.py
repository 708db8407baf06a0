"""What happens between batches and epochs: the end of the run, its checkpoint and its log."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nasnet_keras.whole_files import written_whole


class SeedEveryEpoch(keras.callbacks.Callback):
    """Sets the random state of every layer at the start of an epoch.

    A `.keras` file has no random state. It follows from seed and epoch alone, so that a resumed run
    drops and shifts what an uninterrupted one would.

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
