"""CIFAR-10 and CIFAR-100 in memory, with or without TensorFlow."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.split import parse_split
from nasnet_keras.data.sources.tfds_files import read_tfds
from nasnet_keras.data.sources.tfrecord import parse_example
from nasnet_keras.whole_files import written_whole

SPLITS = ("train", "test")


def find_packed(name: str, dataset_dir: str | os.PathLike[str]) -> Path | None:
    """Returns `<dataset_dir>/<name>.npz` where it exists."""
    path = Path(dataset_dir) / f"{name}.npz"
    return path if path.exists() else None


def load_packed(name: str, path: Path, split: str) -> ImageDataset:
    """Loads a split out of a file that `pack` wrote.

    Args:
        name: Name of the dataset.
        path: The file: `train_images`, `train_labels`, `test_images`, `test_labels` and
            `class_names`.
        split: A split, or a part of one.

    Raises:
        ValueError: There is no such split, or the file has other arrays.
    """
    wanted = parse_split(split, name, SPLITS)
    with np.load(path) as arrays:
        missing = {f"{wanted.name}_images", f"{wanted.name}_labels", "class_names"} - {*arrays}
        if missing:
            raise ValueError(f"{path} lacks the array {min(missing)}")
        images, labels = arrays[f"{wanted.name}_images"], arrays[f"{wanted.name}_labels"]
        names = tuple(str(item) for item in arrays["class_names"])
    start, stop = wanted.range(len(images))
    return ImageDataset(name, split, images[start:stop], labels[start:stop].astype(np.int64), names)


def load_prepared(directory: Path, split: str) -> ImageDataset:
    """Loads a split of a dataset of small images that TFDS prepared; reads it without TensorFlow.

    Pillow decodes on every backend, so that they all train on the same pixels. TensorFlow's own
    decoder is faster and less exact.

    Raises:
        OSError: A file cannot be read.
        ValueError: There is no such split, or an example is damaged; it is named.
    """
    files = read_tfds(directory, split)
    images, labels = [], []
    for index, (*_, record) in enumerate(files.records()):
        try:
            example = parse_example(record)
            (encoded,), (label,) = example[files.image_key], example[files.label_key]
            if not isinstance(encoded, bytes) or not isinstance(label, int):
                raise ValueError("an image is bytes, a label is an integer")
            images.append(np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")))
            labels.append(label)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"dataset {files.name}: {files.describe(index)} is damaged") from error
    return ImageDataset(
        files.name, split, np.stack(images), np.array(labels, np.int64), files.class_names
    )


def pack(name: str, directory: Path, path: str | os.PathLike[str]) -> None:
    """Writes both splits of a prepared dataset into one `.npz` file, to load in a second.

    Args:
        name: Name of the dataset.
        directory: Where TFDS prepared it.
        path: The file to write, `<name>.npz` for `load_dataset` to find it.
    """
    arrays: dict[str, Any] = {}
    for split in SPLITS:
        dataset = load_prepared(directory, split)
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = dataset.images, dataset.labels
        arrays["class_names"] = np.array(dataset.class_names)
    with written_whole(path) as temporary:
        np.savez_compressed(temporary, **arrays)
