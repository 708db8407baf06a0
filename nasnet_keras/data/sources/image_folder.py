"""A folder of class folders: `<split>/<class>/*.jpg`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from nasnet_keras.data.image_reader import SUFFIXES
from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.example_files import ImageFiles
from nasnet_keras.data.sources.split import Split

_ORDER_SEED = 0


class ImageFolder(DatasetFormat):
    """A folder whose folders are the splits, whose folders are the classes.

    The classes are the names of the folders of all splits together, sorted, so that a class without
    an image in one split has the same label in all. The order of the images does not follow the
    classes, and is the same each time.
    """

    names: ClassVar = {
        "image_folder": (
            "it holds no folders like train/<class>/<image>.jpg; give the folder of the splits as "
            "--dataset_dir"
        )
    }

    def splits(self) -> list[str]:
        return [path.name for path in _folders(self.root) if _folders(path)]

    def read(self, split: Split) -> ImageFiles:
        names = sorted({path.name for each in self.splits() for path in _folders(self.root / each)})
        folder = self.root / split.name
        found = [
            (path, label)
            for label, name in enumerate(names)
            for path in sorted((folder / name).rglob("*"))
            if path.suffix.lower() in SUFFIXES
        ]
        if not found:
            raise ValueError(
                f"{folder} holds no image; expected <class>/<image> with one of the endings "
                f"{', '.join(SUFFIXES)}"
            )
        order = np.random.default_rng(_ORDER_SEED).permutation(len(found))
        paths, labels = zip(*(found[index] for index in order), strict=True)
        return split.of(ImageFiles(self.name, str(split), tuple(names), paths, labels))


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(x for x in path.iterdir() if x.is_dir() and not x.name.startswith("."))
