"""Datasets by name."""

from __future__ import annotations

import difflib
import functools
import os
from pathlib import Path

from absl import logging

from nasnet_keras.data.sources.cifar import PackedCifar, PreparedCifar
from nasnet_keras.data.sources.dataset_format import DatasetFormat, find_format
from nasnet_keras.data.sources.digits import Digits
from nasnet_keras.data.sources.example_files import Examples, ImageFiles
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.image_folder import ImageFolder
from nasnet_keras.data.sources.image_listing import summary
from nasnet_keras.data.sources.slim_files import SlimFiles
from nasnet_keras.data.sources.tfds_files import BUILD_OR_SLIM, TfdsFiles, prepare_tfds
from nasnet_keras.text.suggestions import unknown_name

# A dataset is in the first of these formats that it is found in.
FORMATS: tuple[type[DatasetFormat], ...] = (
    Digits,
    PackedCifar,
    PreparedCifar,
    TfdsFiles,
    ImageFolder,
    SlimFiles,
)

_SHOWN = 10

Directory = str | os.PathLike[str] | None


def list_datasets() -> list[str]:
    """Returns the names of the datasets; any other of TensorFlow Datasets goes by its own name."""
    return list(dict.fromkeys(name for each in FORMATS for name in each.names))


def fits_in_memory(name: str, dataset_dir: Directory = None) -> bool:
    """Returns whether `load_dataset` loads it; the others are streamed by `image_batches`.

    Args:
        name: Name of a dataset.
        dataset_dir: Where datasets are. CIFAR in slim's files is streamed, too.
    """
    found = find_format(FORMATS, dataset_dir, name)
    if found is not None:
        return found.in_memory
    return any(each.in_memory for each in FORMATS if name in each.names)


def check_dataset(name: str, split: str | None = None, dataset_dir: Directory = None) -> None:
    """Checks that a dataset and its split are there, without loading anything.

    Args:
        name: Name of a dataset.
        split: Name of a split or of a part of one, `None` to check the dataset alone.
        dataset_dir: Where datasets are.

    Raises:
        FileNotFoundError: The dataset is missing; the message says how to get it.
        ValueError: The dataset or split is unknown; the nearest is suggested.
    """
    found = _open(name, dataset_dir)
    if split is None:
        found.splits()
    else:
        found.parse(split)


def load_dataset(
    name: str, split: str, dataset_dir: Directory = None, download: bool = False
) -> ImageDataset:
    """Loads one split of a dataset that fits in memory.

    Args:
        name: `"digits"`, `"cifar10"` or `"cifar100"`.
        split: A split of it or a part of one, e.g. `"train"`, `"train[:45000]"`.
        dataset_dir: Where datasets are, as TensorFlow Datasets writes them, or as
            `<name>.npz`. The digits need none.
        download: Prepare the dataset with TensorFlow Datasets where it is missing.

    Raises:
        FileNotFoundError: The dataset is missing.
        ValueError: The dataset or split is unknown; the nearest is suggested.
    """
    found = _open(name, dataset_dir, download)
    return found.load(found.parse(split))


def find_examples(
    name: str,
    split: str,
    dataset_dir: Directory,
    download: bool = False,
    allow_empty_classes: bool = False,
) -> Examples:
    """Finds the files of one split, to stream it; says once what is left out of a folder.

    Args:
        name: A TFDS dataset of labelled images (`"imagenet2012"`, `"cifar10:3.0.2"`), the name of a
            dataset that slim converted, or `"image_folder"`.
        split: A split of it or a part of one.
        dataset_dir: Where datasets are; for a folder of images, that of the splits.
        download: Prepare the dataset with TensorFlow Datasets where it is missing.
        allow_empty_classes: Whether a class of a folder of images may have none in the split.

    Raises:
        FileNotFoundError: The dataset or one of its files is missing.
        ValueError: The dataset or split is unknown; the nearest is suggested. Or a class is empty.
    """
    found = _open(name, dataset_dir, download)
    examples = found.read(found.parse(split))
    if isinstance(examples, ImageFiles):
        told = summary(examples.left_out)
        if examples.empty_classes and not allow_empty_classes:
            raise ValueError(
                f"dataset {name}: {split} of {found.root} has no image of "
                f"{_listed(examples.empty_classes)}{f'; left out are {told}' if told else ''}; "
                "allow_empty_classes goes on"
            )
        if told:
            _warn_once(f"dataset {name}: {found.root}, {split}: left out are {told}")
    return examples


@functools.cache
def _warn_once(text: str) -> None:
    # A split is opened several times in a run.
    logging.warning("%s", text)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more classes" if len(names) > _SHOWN else shown


def _open(name: str, dataset_dir: Directory, download: bool = False) -> DatasetFormat:
    """Returns a dataset that is there; with `download`, one that TFDS prepares first."""
    found = find_format(FORMATS, dataset_dir, name)
    if found is not None:
        return found
    missing = _missing(name, dataset_dir)
    is_unknown = isinstance(missing, ValueError) or name in ImageFolder.names
    if not download or dataset_dir is None or is_unknown:
        raise missing
    prepare_tfds(name, dataset_dir)
    return _open(name, dataset_dir)


def _missing(name: str, dataset_dir: Directory) -> Exception:
    """Returns the error that says what to do about a dataset that is in no format there."""
    known = {name: how for each in FORMATS for name, how in each.names.items()}
    if dataset_dir is None:
        if name not in known:
            return ValueError(unknown_name("dataset", name, known))
        return FileNotFoundError(f"dataset {name} is read from disk: say where with --dataset_dir")
    directory = Path(dataset_dir)
    if not directory.is_dir():
        return FileNotFoundError(f"dataset {name}: there is no directory {directory}")
    there = sorted({path.parent.parent.name for path in directory.glob("*/*/dataset_info.json")})
    if name not in known and difflib.get_close_matches(name, [*known, *there], n=1):
        return ValueError(unknown_name("dataset", name, [*known, *there]))
    found = f" (it has {', '.join(there)})" if there else ""
    how = known.get(name, BUILD_OR_SLIM).format(name=name, dir=directory)
    return FileNotFoundError(f"dataset {name} is not in {directory}{found}: {how}")
