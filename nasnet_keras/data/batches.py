"""Shuffled batches of an in-memory dataset, the same again for the same seed and epoch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class ShuffledBatches(keras.utils.PyDataset):
    """Gives whole batches in a new order each epoch.

    The order follows from seed and epoch alone, so that a resumed run sees what an uninterrupted
    one would. The examples that do not fill a batch sit out that epoch: a smaller last batch would
    make the backend compile the training step twice.

    Args:
        inputs: `(n, ...)`.
        targets: Arrays of `n` rows by name.
        batch_size: Examples a batch.
        seed: Seed of the order.

    Raises:
        ValueError: There are fewer examples than one batch takes.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        targets: dict[str, np.ndarray],
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__()
        if batch_size > len(inputs):
            raise ValueError(f"batch_size is {batch_size}, but there are {len(inputs)} images")
        self.inputs = inputs
        self.targets = targets
        self.batch_size = batch_size
        self.seed = seed
        self.start_at(epoch=0)

    def start_at(self, epoch: int) -> None:
        """Makes this epoch, counted from 0, the next one."""
        self.epoch = epoch
        self._order = np.random.default_rng([self.seed, epoch]).permutation(len(self.inputs))

    @property
    def num_batches(self) -> int:
        return len(self.inputs) // self.batch_size

    def __getitem__(self, index: int) -> tuple[Any, dict[str, Any]]:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.inputs[rows], {name: target[rows] for name, target in self.targets.items()}

    def on_epoch_end(self) -> None:
        self.start_at(self.epoch + 1)
