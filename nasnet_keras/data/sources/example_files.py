"""The examples of one split, whatever its format: what a stream orders, reads and names."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from nasnet_keras.data.sources.tfrecord import parse_example, read_records, record_places
from nasnet_keras.files.input_files import read_file


@dataclass(frozen=True)
class Examples(ABC):
    """Examples in a fixed order.

    Attributes:
        name: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes.
        has_exif: Whether EXIF orientations count: in a person's own files, not in records, which
            are as the original pipelines read them.
    """

    has_exif: ClassVar[bool] = False

    name: str
    split: str
    class_names: tuple[str, ...]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def part(self, start: int, stop: int) -> Examples:
        """Returns the examples from `start` to before `stop`."""

    @abstractmethod
    def describe(self, index: int) -> str:
        """Returns where an example is, for messages."""

    @abstractmethod
    def reader(self) -> Callable[..., Any]:
        """Returns what reads an example inside tf.data, given its index.

        Of labelled images it returns the encoded image, a scalar string, and the label, int64. That
        of `RecordFiles` is given the record as well.
        """

    def loader(self) -> Callable[[int], tuple[bytes, int]]:
        """Returns what reads an example without TensorFlow, given its index; threads may call it.

        It returns the encoded image and the label, or raises an `OSError` or `ValueError`.

        Raises:
            ValueError: These examples cannot be read so.
        """
        raise ValueError(f"dataset {self.name} can be read by TensorFlow only")

    def own_files(self) -> tuple[str, ...]:
        """Returns the file of each example where each has one of its own, else nothing."""
        return ()

    def shard(self, index: int, count: int) -> Examples:
        """Returns the consecutive part that host `index` of `count` reads."""
        return self.part(len(self) * index // count, len(self) * (index + 1) // count)


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
class RecordFiles(Examples):
    """A split in TFRecord files, which can only be read from their beginning.

    Attributes:
        files: The files.
        image_key: Feature that holds the encoded image.
        label_key: Feature that holds the label.
    """

    files: tuple[RecordFile, ...]
    image_key: str
    label_key: str

    def __len__(self) -> int:
        return sum(file.count for file in self.files)

    def part(self, start: int, stop: int) -> RecordFiles:
        chosen, position = [], 0
        for file in self.files:
            first = max(start - position, 0)
            last = min(stop - position, file.count)
            if first < last:
                chosen.append(RecordFile(file.path, file.first + first, last - first))
            position += file.count
        return replace(self, files=tuple(chosen))

    def describe(self, index: int) -> str:
        for file in self.files:
            if index < file.count:
                return f"{file.path}, record {file.first + index}"
            index -= file.count
        raise IndexError(index)

    def records(self) -> Iterator[tuple[Path, int, int, bytes]]:
        """Yields each record after its file, its index in it and its first byte there.

        Raises:
            OSError: A file cannot be read.
            ValueError: A file ends within a record.
        """
        for file in self.files:
            placed = enumerate(read_records(file.path))
            for index, (start, record) in islice(placed, file.first, file.first + file.count):
                yield file.path, index, start, record

    def parse(self, record: bytes) -> tuple[bytes, int]:
        """Returns the encoded image and the label of a record.

        Raises:
            ValueError: It is damaged, or has no such features.
        """
        example = parse_example(record)
        try:
            (encoded,), (label,) = example[self.image_key], example[self.label_key]
        except KeyError as error:
            raise ValueError(f"it has no feature {error}") from None
        if not isinstance(encoded, bytes) or not isinstance(label, int):
            raise ValueError("an image is bytes, a label is an integer")
        return encoded, label

    def reader(self) -> Callable[..., Any]:
        """Returns `(index, record) -> (encoded image, label)`."""
        import tensorflow as tf

        features = {
            self.image_key: tf.io.FixedLenFeature([], tf.string),
            self.label_key: tf.io.FixedLenFeature([], tf.int64),
        }

        def read(_: Any, record: Any) -> tuple[Any, Any]:
            example = tf.io.parse_single_example(record, features)
            return example[self.image_key], example[self.label_key]

        return read

    def loader(self) -> Callable[[int], tuple[bytes, int]]:
        """Returns `index -> (encoded image, label)`. Checksums are not checked.

        The headers of all records are read first, so that any record can be read next.
        """
        places: list[tuple[Path, int, int] | None] = []
        for file in self.files:
            there = islice(record_places(file.path), file.first, file.first + file.count)
            found = [(file.path, start, length) for start, length in there]
            # What follows damage in a file is lost; later examples keep their places.
            places += [*found, *[None] * (file.count - len(found))]

        def load(index: int) -> tuple[bytes, int]:
            place = places[index]
            if place is None:
                raise ValueError("the file ends before it")
            return self.parse(_bytes_of(*place))

        return load


@dataclass(frozen=True)
class ImageFiles(Examples):
    """A split as one file an image.

    Attributes:
        paths: The images, in an order that does not follow the classes.
        labels: Their classes.
        empty_classes: Names of the classes of which the split has no image.
        left_out: What was found among the images and is none, and why, see `ImageListing`.
    """

    has_exif = True

    paths: tuple[str | os.PathLike[str], ...]
    labels: tuple[int, ...]
    empty_classes: tuple[str, ...] = ()
    left_out: tuple[tuple[Path, str], ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    def part(self, start: int, stop: int) -> ImageFiles:
        return replace(self, paths=self.paths[start:stop], labels=self.labels[start:stop])

    def take(self, indices: Sequence[int]) -> ImageFiles:
        """Returns the images at these places, in this order."""
        return replace(
            self,
            paths=tuple(self.paths[index] for index in indices),
            labels=tuple(self.labels[index] for index in indices),
        )

    def own_files(self) -> tuple[str, ...]:
        return tuple(os.fspath(path) for path in self.paths)

    def describe(self, index: int) -> str:
        return os.fspath(self.paths[index])

    def reader(self) -> Callable[..., Any]:
        """Returns `index -> (encoded image, label)`."""
        import tensorflow as tf

        paths = tf.constant([os.fspath(path) for path in self.paths])
        labels = tf.constant(self.labels, tf.int64)
        return lambda index: (tf.io.read_file(paths[index]), labels[index])

    def loader(self) -> Callable[[int], tuple[bytes, int]]:
        """Returns `index -> (encoded image, label)`."""
        return lambda index: (read_file(self.paths[index]), self.labels[index])


def _bytes_of(path: Path, start: int, length: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        if start + length > os.fstat(file.fileno()).st_size:
            # A damaged length may be any number: no memory is asked for it.
            raise ValueError("the file ends within it")
        file.seek(start)
        return file.read(length)
