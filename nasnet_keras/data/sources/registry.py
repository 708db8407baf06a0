"""Datasets by name."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from nasnet_keras.data.sources import cifar, digits
from nasnet_keras.data.sources.example_files import Examples
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.image_folder import image_folder_splits, read_image_folder
from nasnet_keras.data.sources.slim_files import find_slim, read_slim
from nasnet_keras.data.sources.split import parse_split
from nasnet_keras.data.sources.tfds_files import find_tfds, prepare_tfds, read_tfds, tfds_splits
from nasnet_keras.suggestions import unknown_name

IMAGE_FOLDER = "image_folder"
_IN_MEMORY = ("digits", "cifar10", "cifar100")
_ON_DISK = ("imagenet2012", "tf_flowers", IMAGE_FOLDER)
_BY_HAND = {
    "imagenet2012": (
        "download ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from "
        "https://image-net.org/download-images to {dir}/downloads/manual, then run "
        "`tfds build imagenet2012 --data_dir={dir}`, or put slim's train-00000-of-01024 ... there"
    ),
}

Directory = str | os.PathLike[str] | None


def list_datasets() -> list[str]:
    """Returns the names of the datasets; any other of TensorFlow Datasets goes by its own name."""
    return [*_IN_MEMORY, *_ON_DISK]


def fits_in_memory(name: str, dataset_dir: Directory = None) -> bool:
    """Returns whether `load_dataset` loads it; the others are streamed by `image_batches`.

    Args:
        name: Name of a dataset.
        dataset_dir: Where datasets are. CIFAR in slim's files is streamed, too.
    """
    if name not in _IN_MEMORY:
        return False
    if name == "digits" or dataset_dir is None or cifar.find_packed(name, dataset_dir):
        return True
    return bool(find_tfds(name, dataset_dir)) or not find_slim(name, dataset_dir)


def check_dataset(name: str, split: str | None = None, dataset_dir: Directory = None) -> None:
    """Refuses an unknown or missing dataset or an unknown split, without loading anything.

    Args:
        name: Name of a dataset.
        split: Name of a split or of a part of one, `None` to check the dataset alone.
        dataset_dir: Where datasets are.

    Raises:
        FileNotFoundError: The dataset is known and not there; the message says what to download
            and where to put it.
        ValueError: There is no such dataset or split; the nearest is suggested.
    """
    splits = _splits(name, dataset_dir)
    if split is not None:
        parse_split(split, name, splits)


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

    Returns:
        The images and labels.

    Raises:
        FileNotFoundError: The dataset is missing.
        ValueError: There is no such dataset or split; the nearest is suggested.
    """
    _prepare(name, dataset_dir, download)
    check_dataset(name, split, dataset_dir)
    if name not in _IN_MEMORY:
        raise ValueError(f"dataset {name} does not fit in memory: it is streamed from disk")
    if name == "digits" or dataset_dir is None:
        wanted = parse_split(split, name, digits.SPLITS)
        whole = digits.load_digits(wanted.name)
        start, stop = wanted.range(len(whole))
        return ImageDataset(
            name, split, whole.images[start:stop], whole.labels[start:stop], whole.class_names
        )
    if packed := cifar.find_packed(name, dataset_dir):
        return cifar.load_packed(name, packed, split)
    directory = find_tfds(name, dataset_dir)
    if directory is None:
        raise ValueError(f"dataset {name} in {dataset_dir} is slim's: it is streamed from disk")
    return cifar.load_prepared(directory, split)


def find_examples(
    name: str, split: str, dataset_dir: Directory, download: bool = False
) -> Examples:
    """Finds the files of one split, to stream it.

    Args:
        name: A TFDS dataset of labelled images (`"imagenet2012"`, `"cifar10:3.0.2"`), the name of a
            dataset that slim converted, or `"image_folder"`.
        split: A split of it or a part of one.
        dataset_dir: TFDS's data_dir; where slim's files are; or the folder of
            `<split>/<class>/<image>`.
        download: Prepare the dataset with TensorFlow Datasets where it is missing.

    Returns:
        The files and the class names.

    Raises:
        FileNotFoundError: The dataset or one of its files is missing.
        ValueError: There is no such dataset or split; the nearest is suggested.
    """
    _prepare(name, dataset_dir, download)
    check_dataset(name, split, dataset_dir)
    if name == "digits" or dataset_dir is None:
        raise ValueError(f"dataset {name} is not read from disk: load it with load_dataset")
    if name == IMAGE_FOLDER:
        return read_image_folder(dataset_dir, split)
    if directory := find_tfds(name, dataset_dir):
        return read_tfds(directory, split)
    if splits := find_slim(name, dataset_dir):
        return read_slim(name, splits, split)
    raise ValueError(f"dataset {name} is packed in one file: load it with load_dataset")


def _splits(name: str, dataset_dir: Directory) -> list[str]:
    """Returns the splits of a dataset that is there."""
    if name == "digits":
        return list(digits.SPLITS)
    if dataset_dir is None:
        if name not in list_datasets():
            raise ValueError(unknown_name("dataset", name, list_datasets()))
        raise FileNotFoundError(f"dataset {name} is read from disk: say where with --dataset_dir")
    if not Path(dataset_dir).is_dir():
        raise FileNotFoundError(f"dataset {name}: there is no directory {dataset_dir}")
    if name == IMAGE_FOLDER:
        return image_folder_splits(dataset_dir)
    if name in _IN_MEMORY and cifar.find_packed(name, dataset_dir):
        return list(cifar.SPLITS)
    if directory := find_tfds(name, dataset_dir):
        return tfds_splits(directory)
    if splits := find_slim(name, dataset_dir):
        return list(splits)
    raise _missing(name, Path(dataset_dir))


def _missing(name: str, directory: Path) -> Exception:
    there = [path.parent.parent.name for path in directory.glob("*/*/dataset_info.json")]
    known = sorted({*list_datasets(), *there})
    if name not in known and difflib.get_close_matches(name, known, n=1):
        return ValueError(unknown_name("dataset", name, known))
    how = (
        "run `pip install tensorflow-datasets` and `tfds build {name} --data_dir={dir}`, or put "
        "slim's TFRecord files there"
    )
    if name in _IN_MEMORY:
        how = how.replace("slim's TFRecord files", "{name}.npz")
    how = _BY_HAND.get(name, how).format(name=name, dir=directory)
    found = f" (it has {', '.join(sorted(there))})" if there else ""
    return FileNotFoundError(f"dataset {name} is not in {directory}{found}: {how}")


def _prepare(name: str, dataset_dir: Directory, download: bool) -> None:
    if not download or dataset_dir is None or name in ("digits", IMAGE_FOLDER):
        return
    try:
        check_dataset(name, None, dataset_dir)
    except FileNotFoundError:
        prepare_tfds(name, dataset_dir)
