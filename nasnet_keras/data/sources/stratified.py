"""Examples that nobody has divided yet: an order and splits with every class in proportion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HELD_OUT = ("val", "test")
_FRACTION = 0.1
_SEED = 0


def stratified_order(labels: Sequence[int]) -> list[int]:
    """Returns an order of which every part has the classes in proportion, the same each time.

    Args:
        labels: The class of each example.
    """
    ranks, counts = _ranks(labels)
    return np.lexsort((np.asarray(labels), (ranks + 0.5) / counts)).tolist()


def stratified_splits(labels: Sequence[int]) -> dict[str, list[int]]:
    """Divides examples into `train`, and a tenth of each class each for `val` and `test`.

    A class of at least three examples has one in each; of two, one is in `test`.

    Args:
        labels: The class of each example.

    Returns:
        The examples of each split, in an order as that of `stratified_order`.
    """
    ranks, counts = _ranks(labels)
    held_out = np.maximum(np.round(counts * _FRACTION), 1)
    from_end = counts - ranks
    is_test = (from_end <= held_out) & (counts >= 2)
    is_val = (from_end > held_out) & (from_end <= 2 * held_out) & (counts >= 3)
    order = np.asarray(stratified_order(labels), np.int64)
    members = {"train": ~(is_test | is_val), "val": is_val, "test": is_test}
    return {name: order[member[order]].tolist() for name, member in members.items()}


def _ranks(labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the place of each example in a random order of its class, and the class's size."""
    classes = np.asarray(labels, np.int64)
    ranks = np.zeros(len(classes), np.int64)
    counts = np.zeros(len(classes), np.int64)
    generator = np.random.default_rng(_SEED)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        ranks[generator.permutation(members)] = np.arange(len(members))
        counts[members] = len(members)
    return ranks, counts
