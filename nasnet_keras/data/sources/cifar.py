"""CIFAR-10 and CIFAR-100 in memory, with or without TensorFlow."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.example_files import RecordFiles
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.split import Split
from nasnet_keras.data.sources.tfds_files import BUILD, TfdsFiles
from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.input_files import check_file

SPLITS = ("train", "test")
_HOW = f"{BUILD}, or put {{name}}.npz there"
_NAMES: dict[str, str] = {"cifar10": _HOW, "cifar100": _HOW}


class PackedCifar(DatasetFormat):
    """A file that `pack` wrote: `train_images`, `train_labels`, ..., `class_names`."""

    names: ClassVar[dict[str, str]] = _NAMES
    in_memory = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.root / f"{self.name}.npz"

    def splits(self) -> tuple[str, ...]:
        return SPLITS if self.path.exists() else ()

    def load(self, split: Split) -> ImageDataset:
        keys = (f"{split.name}_images", f"{split.name}_labels", "class_names")
        images, labels, names = _read_arrays(self.path, keys)
        class_names = tuple(str(name) for name in np.atleast_1d(names))
        _check_arrays(self.path, images, labels, len(class_names))
        labels = labels.astype(np.int64)
        return split.of(ImageDataset(self.name, str(split), images, labels, class_names))


def _read_arrays(path: Path, keys: Sequence[str]) -> list[np.ndarray]:
    check_file(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if missing := {*keys} - {*arrays}:
                raise ValueError(f"it lacks the array {min(missing)}")
            return [arrays[key] for key in keys]
    # What NumPy and zipfile raise for damage depends on where it is.
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    except (AttributeError, TypeError):  # A single array, which is no archive.
        raise ValueError(f"{path} is damaged: it is no archive of arrays") from None


def _check_arrays(path: Path, images: np.ndarray, labels: np.ndarray, classes: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        given = f"{images.dtype} of shape {images.shape}"
        raise ValueError(f"{path}: images are uint8 of shape (n, height, width, 3), not {given}")
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        given = f"{labels.dtype} of shape {labels.shape}"
        raise ValueError(f"{path}: labels are integers of shape {images.shape[:1]}, not {given}")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        found = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"{path}: labels are 0 to {classes - 1}, not {found}")


class PreparedCifar(TfdsFiles):
    """The files of TFDS, which can be streamed as well."""

    names: ClassVar[dict[str, str]] = _NAMES
    in_memory = True

    @classmethod
    def find(cls, root: Path, name: str = "") -> TfdsFiles | None:
        return super().find(root, name) if name in cls.names else None

    def load(self, split: Split) -> ImageDataset:
        return load_records(self.read(split))


def load_records(files: RecordFiles) -> ImageDataset:
    """Loads small images of one size; reads them without TensorFlow.

    Pillow decodes on every backend, so that they all train on the same pixels. TensorFlow's own
    decoder is faster and less exact.

    Raises:
        OSError: A file cannot be read.
        ValueError: An example is damaged; it is named.
    """
    images, labels = [], []
    for index, (*_, record) in enumerate(files.records()):
        try:
            encoded, label = files.parse(record)
            images.append(decode_image(encoded, upright=False))
            labels.append(label)
        except (OSError, ValueError) as error:
            raise ValueError(f"dataset {files.name}: {files.describe(index)} is damaged") from error
    return ImageDataset(
        files.name, files.split, np.stack(images), np.array(labels, np.int64), files.class_names
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
        dataset = PreparedCifar(name, directory).load(Split(split))
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = dataset.images, dataset.labels
        arrays["class_names"] = np.array(dataset.class_names)
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, **arrays)
