"""Shuffled batches of an in-memory dataset, the same again for the same seed and step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Batch = tuple[np.ndarray, dict[str, np.ndarray]]


def batches_per_epoch(examples: int, batch_size: int) -> int:
    """Returns how many whole batches there are.

    Raises:
        ValueError: There are fewer examples than one batch takes.
    """
    if batch_size > examples:
        raise ValueError(f"batch_size is {batch_size}, but there are {examples} images")
    return examples // batch_size


def shuffled_batches(
    inputs: np.ndarray,
    targets: dict[str, np.ndarray],
    batch_size: int,
    seed: int,
    first_step: int = 0,
) -> Iterator[Batch]:
    """Gives whole batches without end, in a new order each epoch.

    The order follows from seed and epoch alone, so that a run resumed at any step sees what an
    uninterrupted one would. The examples that do not fill a batch sit out that epoch: a smaller
    last batch would make the backend compile the training step twice.

    Args:
        inputs: `(n, ...)`.
        targets: Arrays of `n` rows by name.
        batch_size: Examples a batch.
        seed: Seed of the order.
        first_step: Number of batches to pass over.

    Yields:
        `batch_size` rows of the inputs, and of each target.

    Raises:
        ValueError: There are fewer examples than one batch takes.
    """
    per_epoch = batches_per_epoch(len(inputs), batch_size)
    epoch, index = divmod(first_step, per_epoch)
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(inputs))
        for start in range(index * batch_size, per_epoch * batch_size, batch_size):
            rows = order[start : start + batch_size]
            yield inputs[rows], {name: target[rows] for name, target in targets.items()}
        epoch, index = epoch + 1, 0
