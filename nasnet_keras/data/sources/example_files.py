"""Where the examples of one split are, whatever its format: files, ranges of them, class names."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class RecordFile:
    """Consecutive records of a TFRecord file.

    Attributes:
        path: The file.
        first: The first record.
        count: How many.
    """

    path: Path
    first: int
    count: int


@dataclass(frozen=True)
class RecordFiles:
    """A split in TFRecord files.

    Attributes:
        name: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes.
        files: The files.
        image_key: Feature that holds the encoded image.
        label_key: Feature that holds the label.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    files: tuple[RecordFile, ...]
    image_key: str
    label_key: str

    def __len__(self) -> int:
        return sum(file.count for file in self.files)

    def part(self, start: int, stop: int) -> RecordFiles:
        """Returns the examples from `start` to before `stop`, in the order of the files."""
        chosen, position = [], 0
        for file in self.files:
            first = max(start - position, 0)
            last = min(stop - position, file.count)
            if first < last:
                chosen.append(RecordFile(file.path, file.first + first, last - first))
            position += file.count
        return replace(self, files=tuple(chosen))

    def share(self, index: int, count: int) -> RecordFiles:
        """Returns the consecutive part that host `index` of `count` reads."""
        return self.part(len(self) * index // count, len(self) * (index + 1) // count)

    def describe(self, file: int, record: int) -> str:
        """Returns the name of an example: its file and its number there, which counts from 0.

        Args:
            file: Number of the file, among `files`.
            record: Number of the record, among those of the file that belong to the split.
        """
        return f"{self.files[file].path}, record {self.files[file].first + record}"


@dataclass(frozen=True)
class ImageFiles:
    """A split as one file an image.

    Attributes:
        name: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes.
        paths: The images, in an order that does not follow the classes.
        labels: Their classes.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    paths: tuple[str | os.PathLike[str], ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def part(self, start: int, stop: int) -> ImageFiles:
        """Returns the images from `start` to before `stop`."""
        return replace(self, paths=self.paths[start:stop], labels=self.labels[start:stop])

    def share(self, index: int, count: int) -> ImageFiles:
        """Returns the consecutive part that host `index` of `count` reads."""
        return self.part(len(self) * index // count, len(self) * (index + 1) // count)

    def describe(self, file: int, record: int) -> str:
        """Returns the path of an image; `file` is always 0."""
        return os.fspath(self.paths[record])


ExampleFiles = RecordFiles | ImageFiles
