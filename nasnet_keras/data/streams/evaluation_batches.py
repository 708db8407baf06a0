"""The batches of a split to score a network on, in memory or from disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from nasnet_keras.data.check.unreadable import drop_unreadable, refuse_unreadable
from nasnet_keras.data.preprocessing import (
    PREPROCESSINGS,
    check_preprocessing,
    evaluation_preprocessing,
    preprocess,
)
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.labels_offset import offset_labels
from nasnet_keras.data.sources.registry import (
    check_dataset,
    find_examples,
    fits_in_memory,
    load_dataset,
)
from nasnet_keras.data.stream_preprocessing import get_stream_preprocessing
from nasnet_keras.data.streams.pipeline import example_batches
from nasnet_keras.settings import Count, check_value

Batches = Iterator[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class EvaluationBatches:
    """A split in a fixed order, each example once; iterate over it as often as wanted.

    Iterating gives `(images, labels)`: float32 `(batch, size, size, 3)`, preprocessed, and integer
    `(batch,)`; the last batch may be smaller. It raises a `ValueError` where an example cannot be
    read or its label is out of range.

    Attributes:
        dataset: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes, after the labels' offset.
        num_examples: How many examples there are.
        batch_size: Examples a batch.
    """

    dataset: str
    split: str
    class_names: tuple[str, ...]
    num_examples: int
    batch_size: int
    _begin: Callable[[], Batches] = field(repr=False)

    def __iter__(self) -> Batches:
        return self._begin()

    def __len__(self) -> int:
        """Returns how many batches there are."""
        return -(-self.num_examples // self.batch_size)


def evaluation_batches(
    dataset_name: str,
    split: str,
    dataset_dir: str | os.PathLike[str] | None,
    preprocessing_name: str,
    image_size: int,
    batch_size: int = 100,
    labels_offset: int = 0,
    exif_orientation: bool = True,
    drop_invalid: bool = False,
    allow_empty_classes: bool = False,
    check_secs: float = 0.0,
) -> EvaluationBatches:
    """Opens a split of any dataset for evaluation.

    Digits and CIFAR are loaded into memory, without TensorFlow; others are streamed from disk.

    Args:
        dataset_name: Name of a dataset.
        split: A split of it or a part of one.
        dataset_dir: Where datasets are; the digits need none.
        preprocessing_name: A name of `PREPROCESSINGS`, for a stream also of
            `STREAM_PREPROCESSINGS`; what it does in evaluation is done.
        image_size: Side of the images, in pixels.
        batch_size: Images a batch.
        labels_offset: See `offset_class_names`.
        exif_orientation: See `image_batches`.
        drop_invalid: See `image_batches`.
        allow_empty_classes: See `image_batches`.
        check_secs: Seconds to look for files that cannot be decoded, before all else; see
            `refuse_unreadable`.

    Raises:
        FileNotFoundError: The dataset or one of its files is missing.
        UnreadableImagesError: Files cannot be decoded.
        ValueError: A name is unknown, or a value is out of range.
    """
    check_evaluation_data(dataset_name, split, dataset_dir, preprocessing_name)
    if fits_in_memory(dataset_name, dataset_dir):
        dataset = offset_labels(load_dataset(dataset_name, split, dataset_dir), labels_offset)
        return batches_in_memory(dataset, preprocessing_name, image_size, batch_size)
    examples = find_examples(dataset_name, split, dataset_dir, False, allow_empty_classes)
    if drop_invalid:
        examples = drop_unreadable(examples)
    else:
        refuse_unreadable([examples], check_secs)
    stream = example_batches(
        *(examples, preprocessing_name, image_size, batch_size),
        training=False,
        labels_offset=labels_offset,
        exif_orientation=exif_orientation,
    )
    return EvaluationBatches(
        dataset_name, split, stream.class_names, stream.num_examples, batch_size, stream.__iter__
    )


def check_evaluation_data(
    dataset_name: str,
    split: str,
    dataset_dir: str | os.PathLike[str] | None,
    preprocessing_name: str | None = None,
) -> None:
    """Checks the arguments of `evaluation_batches`, without loading anything.

    Args:
        dataset_name: Name of a dataset.
        split: A split of it or a part of one.
        dataset_dir: Where datasets are.
        preprocessing_name: Name of a preprocessing, `None` to check the dataset alone.

    Raises:
        FileNotFoundError: The dataset is missing.
        ValueError: A name is unknown; the nearest is suggested.
    """
    check_dataset(dataset_name, split, dataset_dir)
    if preprocessing_name is None:
        return
    if fits_in_memory(dataset_name, dataset_dir):
        _check_in_memory(preprocessing_name, dataset_name)
    else:
        get_stream_preprocessing(preprocessing_name)


def batches_in_memory(
    dataset: ImageDataset, preprocessing_name: str, image_size: int, batch_size: int = 100
) -> EvaluationBatches:
    """Cuts a loaded split into batches for evaluation.

    Args:
        dataset: The split.
        preprocessing_name: A name of `PREPROCESSINGS`.
        image_size: Side of the images, in pixels.
        batch_size: Images a batch.

    Raises:
        ValueError: The preprocessing is unknown, or a value is below 1.
    """
    _check_in_memory(preprocessing_name, dataset.name)
    check_value("image_size", Count, image_size)
    check_value("batch_size", Count, batch_size)
    total = len(dataset)
    count = min(batch_size, total)

    def begin() -> Batches:
        for start in range(0, total, count):
            # All of one size: some backends compile every operation again for another.
            rows = np.minimum(np.arange(start, start + count), total - 1)
            images = np.asarray(preprocess(dataset.images[rows], preprocessing_name, image_size))
            labels = dataset.labels[start : start + count]
            yield images[: len(labels)], labels

    return EvaluationBatches(
        dataset.name, dataset.split, dataset.class_names, total, batch_size, begin
    )


def _check_in_memory(preprocessing_name: str, dataset_name: str) -> None:
    same = evaluation_preprocessing(preprocessing_name)
    if preprocessing_name not in PREPROCESSINGS and same in PREPROCESSINGS:
        raise ValueError(
            f"preprocessing {preprocessing_name!r} is for streams, and dataset {dataset_name} is "
            f"in memory: in evaluation it is {same!r}"
        )
    check_preprocessing(preprocessing_name)
