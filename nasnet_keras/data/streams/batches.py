"""Shuffled batches of an in-memory dataset, the same again for the same seed and step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Batch = tuple[np.ndarray, dict[str, np.ndarray]]


def batches_per_epoch(examples: int, batch_size: int) -> int:
    """Returns the number of full batches.

    Raises:
        ValueError: There are fewer examples than a batch has.
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
    """Yields full batches without end, in a new order each epoch.

    The order depends on seed and epoch only, so that a resumed run sees the same batches. Examples
    that do not fill a batch are left out of that epoch: another size would be compiled again.

    Args:
        inputs: `(n, ...)`.
        targets: Arrays of `n` rows by name.
        batch_size: Examples a batch.
        seed: Seed of the order.
        first_step: Number of batches to skip.

    Yields:
        `batch_size` rows of the inputs, and of each target.

    Raises:
        ValueError: There are fewer examples than a batch has.
    """
    per_epoch = batches_per_epoch(len(inputs), batch_size)
    epoch, index = divmod(first_step, per_epoch)
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(inputs))
        for start in range(index * batch_size, per_epoch * batch_size, batch_size):
            rows = order[start : start + batch_size]
            yield inputs[rows], {name: target[rows] for name, target in targets.items()}
        epoch, index = epoch + 1, 0
