"""What a format of datasets implements."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from nasnet_keras.data.sources.example_files import Examples
from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.split import Split, parse_split

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class DatasetFormat(ABC):
    """A dataset in one format.

    A format implements `splits`, and `read` where it is streamed or `load` where it fits in memory.

    Attributes:
        names: Well-known datasets in this format, and what to do if one is missing; `{name}` and
            `{dir}` stand for it and its directory. Empty: datasets of any name.
        needs_directory: Whether it is read from a directory.
        in_memory: Whether it has `load`.
        name: Name of the dataset, for messages.
        root: Its directory.
    """

    names: ClassVar[Mapping[str, str]] = {}
    needs_directory: ClassVar[bool] = True
    in_memory: ClassVar[bool] = False

    name: str
    root: Path

    @classmethod
    def find(cls, root: Path, name: str = "") -> Self | None:
        """Returns the dataset of that name in a directory, or `None` where it has no splits.

        Args:
            root: The directory.
            name: The name; empty where the directory alone says which dataset it is.
        """
        found = cls(name or str(root), root)
        return found if (not cls.names or name in cls.names) and found.splits() else None

    @abstractmethod
    def splits(self) -> Sequence[str]:
        """Returns the names of the splits."""

    def disjoint_splits(self) -> Sequence[str]:
        """Returns the names of splits that share no example and together have all."""
        return self.splits()

    def parse(self, split: str) -> Split:
        """Reads a split or a part of one, e.g. `"train[:90%]"`.

        Raises:
            ValueError: The split is unknown; the nearest is suggested.
        """
        return parse_split(split, self.name, self.splits())

    def read(self, split: Split) -> Examples:
        """Lists the examples of a split that `parse` returned, and their classes.

        Raises:
            OSError: A file is missing.
            ValueError: The dataset is damaged, or has no files that can be streamed.
        """
        raise ValueError(f"dataset {self.name} has no files to stream: load it with load_dataset")

    def load(self, split: Split) -> ImageDataset:
        """Loads a split that `parse` returned.

        Raises:
            OSError: A file is missing.
            ValueError: The dataset is damaged, or does not fit in memory.
        """
        raise ValueError(f"dataset {self.name} does not fit in memory: it is streamed from disk")


_Format = TypeVar("_Format", bound=DatasetFormat)


def find_format(
    formats: Iterable[type[_Format]], root: str | os.PathLike[str] | None, name: str = ""
) -> _Format | None:
    """Returns the dataset in the first of these formats that it is found in."""
    usable = (each for each in formats if root is not None or not each.needs_directory)
    return next(filter(None, (each.find(Path(root or ""), name) for each in usable)), None)
