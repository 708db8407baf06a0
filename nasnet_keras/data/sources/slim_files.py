"""The TFRecord files that slim's `download_and_convert_data.py` and Inception's scripts write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.example_files import RecordFile, RecordFiles
from nasnet_keras.data.sources.list_file import read_list_file
from nasnet_keras.data.sources.split import Split
from nasnet_keras.data.sources.tfrecord import count_records

_SHARDS = "-[0-9]*-of-[0-9]*"
# slim's own table, for the datasets that it wrote without a labels.txt.
_CLASSES = {"imagenet": 1001, "imagenet2012": 1001, "cifar10": 10, "flowers": 5, "mnist": 10}


class SlimFiles(DatasetFormat):
    """slim's files, in a directory or in its directory of the dataset's name.

    They are called `train-00000-of-01024`, `flowers_train_00000-of-00005.tfrecord` or
    `cifar10_train.tfrecord`; the names of the classes are in `labels.txt` beside them
    (`0:background`).
    """

    @cached_property
    def paths(self) -> dict[str, list[Path]]:
        """The files of each split, in order."""
        for directory in (self.root / self.name, self.root):
            splits: dict[str, list[Path]] = {}
            for split in ("train", "validation", "test"):
                for pattern in (
                    split + _SHARDS,
                    f"{self.name}_{split}_[0-9]*-of-[0-9]*.tfrecord",
                    f"{self.name}_{split}.tfrecord",
                ):
                    if files := sorted(directory.glob(pattern)):
                        splits.setdefault(split, files)
            if splits:
                return splits
        return {}

    def splits(self) -> list[str]:
        return list(self.paths)

    def read(self, split: Split) -> RecordFiles:
        """Counts the records of a split, which slim does not store."""
        paths = self.paths[split.name]
        series = paths[0].name.removesuffix(".tfrecord").rpartition("-of-")[2]
        if series.isdigit() and int(series) != len(paths):
            raise FileNotFoundError(
                f"dataset {self.name}: {paths[0].parent} has {len(paths)} of the {int(series)} "
                f"files of {split.name}"
            )
        # Each count is a chain of small reads, slow on a network disk.
        with ThreadPoolExecutor(32) as pool:
            counts = list(pool.map(count_records, paths))
        files = tuple(
            RecordFile(path, 0, count) for path, count in zip(paths, counts, strict=True) if count
        )
        classes = _class_names(self.name, paths[0].parent)
        return split.of(
            RecordFiles(
                *(self.name, str(split), classes, files), "image/encoded", "image/class/label"
            )
        )


def _class_names(name: str, directory: Path) -> tuple[str, ...]:
    labels = directory / "labels.txt"
    if labels.exists():
        names = {}
        for line in read_list_file(labels).values():
            label, colon, text = line.partition(":")
            if not colon or not label.isdigit():
                raise ValueError(f"{labels}: {line!r} is not like '0:daisy'")
            names[int(label)] = text
        return tuple(names.get(label, str(label)) for label in range(max(names, default=-1) + 1))
    if name not in _CLASSES:
        raise ValueError(
            f"dataset {name}: {labels} is missing, a line for each class, '<label>:<name>'"
        )
    return tuple(str(label) for label in range(_CLASSES[name]))
