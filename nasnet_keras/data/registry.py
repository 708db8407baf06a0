"""Datasets by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nasnet_keras.data import digits
from nasnet_keras.data.image_dataset import ImageDataset
from nasnet_keras.suggestions import unknown_name


class _Entry(NamedTuple):
    splits: tuple[str, ...]
    load: Callable[[str], ImageDataset]


_DATASETS = {"digits": _Entry(digits.SPLITS, digits.load_digits)}


def list_datasets() -> list[str]:
    """Returns the names of the datasets."""
    return list(_DATASETS)


def check_dataset(name: str, split: str | None = None) -> None:
    """Refuses an unknown dataset or split, without loading anything.

    Args:
        name: Name of a dataset.
        split: Name of a split, `None` to check the dataset alone.

    Raises:
        ValueError: There is no such dataset or split; the nearest is suggested.
    """
    if name not in _DATASETS:
        raise ValueError(unknown_name("dataset", name, _DATASETS))
    if split is not None and split not in _DATASETS[name].splits:
        raise ValueError(unknown_name(f"split of {name}", split, _DATASETS[name].splits))


def load_dataset(name: str, split: str) -> ImageDataset:
    """Loads one split of a dataset.

    Args:
        name: A name of `list_datasets()`.
        split: A split of it, e.g. `"train"`.

    Returns:
        The images and labels.

    Raises:
        ValueError: There is no such dataset or split; the nearest is suggested.
    """
    check_dataset(name, split)
    return _DATASETS[name].load(split)
