"""slim's `labels_offset`: removes or adds a background class."""

from __future__ import annotations

import dataclasses

from nasnet_keras.data.sources.image_dataset import ImageDataset


def offset_class_names(class_names: tuple[str, ...], labels_offset: int) -> tuple[str, ...]:
    """Removes the first classes, or inserts classes without images before them.

    Args:
        class_names: Names of the classes.
        labels_offset: Subtracted from every label: 1 leaves out class 0, -1 adds `"background"`.

    Raises:
        ValueError: No class is left.
    """
    if labels_offset >= len(class_names):
        raise ValueError(f"labels_offset={labels_offset} leaves no class of {len(class_names)}")
    if labels_offset >= 0:
        return class_names[labels_offset:]
    unused = tuple(f"unused {label}" for label in range(-labels_offset))
    return (("background",) if labels_offset == -1 else unused) + class_names


def offset_labels(dataset: ImageDataset, labels_offset: int) -> ImageDataset:
    """Subtracts `labels_offset` from the labels of a split in memory.

    Args:
        dataset: A split.
        labels_offset: Subtracted from every label; see `offset_class_names`.

    Raises:
        ValueError: An image is of a class left out, or no class is left.
    """
    if not labels_offset:
        return dataset
    return dataclasses.replace(
        dataset,
        labels=dataset.labels - labels_offset,
        class_names=offset_class_names(dataset.class_names, labels_offset),
    )
