"""The TFRecord files that slim's `download_and_convert_data.py` and Inception's scripts write."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nasnet_keras.data.sources.example_files import RecordFile, RecordFiles
from nasnet_keras.data.sources.split import parse_split
from nasnet_keras.data.sources.tfrecord import count_records

_SHARDS = "-[0-9]*-of-[0-9]*"
# slim's own table, for the datasets that it wrote without a labels.txt.
_CLASSES = {"imagenet": 1001, "imagenet2012": 1001, "cifar10": 10, "flowers": 5, "mnist": 10}


def find_slim(name: str, dataset_dir: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """Finds slim's files, in a directory or in its directory of the dataset's name.

    They are called `train-00000-of-01024`, `flowers_train_00000-of-00005.tfrecord` or
    `cifar10_train.tfrecord`.

    Args:
        name: Name of the dataset, e.g. `"imagenet"`.
        dataset_dir: Where to look.

    Returns:
        The files of each split, in order; empty where there are none.
    """
    for directory in (Path(dataset_dir) / name, Path(dataset_dir)):
        splits: dict[str, list[Path]] = {}
        for split in ("train", "validation", "test"):
            for pattern in (
                split + _SHARDS,
                f"{name}_{split}_[0-9]*-of-[0-9]*.tfrecord",
                f"{name}_{split}.tfrecord",
            ):
                if files := sorted(directory.glob(pattern)):
                    splits.setdefault(split, files)
        if splits:
            return splits
    return {}


def read_slim(name: str, splits: dict[str, list[Path]], split: str) -> RecordFiles:
    """Counts the records of a split, for slim wrote their number nowhere.

    Args:
        name: Name of the dataset.
        splits: What `find_slim` returned.
        split: A split, or a part of one.

    Returns:
        The files, with the class names of the `labels.txt` beside them (`0:background`).

    Raises:
        FileNotFoundError: A file of the series is missing.
        ValueError: There is no such split, or nothing says how many classes there are.
    """
    wanted = parse_split(split, name, splits)
    paths = splits[wanted.name]
    series = paths[0].name.removesuffix(".tfrecord").rpartition("-of-")[2]
    if series.isdigit() and int(series) != len(paths):
        raise FileNotFoundError(
            f"dataset {name}: {paths[0].parent} has {len(paths)} of the {int(series)} files of "
            f"{wanted.name}"
        )
    # Each count is a chain of small reads, which a network disk answers one after the other.
    with ThreadPoolExecutor(32) as pool:
        counts = list(pool.map(count_records, paths))
    files = tuple(
        RecordFile(path, 0, count) for path, count in zip(paths, counts, strict=True) if count
    )
    classes = _class_names(name, paths[0].parent)
    whole = RecordFiles(name, split, classes, files, "image/encoded", "image/class/label")
    return whole.part(*wanted.range(len(whole)))


def _class_names(name: str, directory: Path) -> tuple[str, ...]:
    labels = directory / "labels.txt"
    if labels.exists():
        lines = labels.read_text().splitlines()
        names = {}
        for line in filter(None, map(str.strip, lines)):
            number, colon, text = line.partition(":")
            if not colon or not number.isdigit():
                raise ValueError(f"{labels}: {line!r} is not like '0:daisy'")
            names[int(number)] = text
        return tuple(names.get(number, str(number)) for number in range(max(names, default=-1) + 1))
    if name not in _CLASSES:
        raise ValueError(
            f"dataset {name}: {labels} is missing, a line for each class, '<number>:<name>'"
        )
    return tuple(str(number) for number in range(_CLASSES[name]))
