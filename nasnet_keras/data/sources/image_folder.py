"""A folder of class folders: `<split>/<class>/*.jpg`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from nasnet_keras.data.sources.example_files import ImageFiles
from nasnet_keras.data.sources.split import parse_split

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}
_ORDER_SEED = 0


def image_folder_splits(dataset_dir: str | os.PathLike[str]) -> list[str]:
    """Returns the splits: the folders that hold folders.

    Raises:
        FileNotFoundError: There is none.
    """
    splits = [path.name for path in _folders(Path(dataset_dir)) if _folders(path)]
    if not splits:
        raise FileNotFoundError(
            f"{dataset_dir} holds no folders like train/<class>/<image>.jpg: give the folder of "
            "the splits as --dataset_dir"
        )
    return splits


def read_image_folder(dataset_dir: str | os.PathLike[str], split: str) -> ImageFiles:
    """Lists the images of a split.

    The classes are the names of the folders of all splits together, sorted, so that a class
    without an image in one split has the same number in all.

    Args:
        dataset_dir: The folder of the splits.
        split: A split, or a part of one; the images are in an order that does not follow the
            classes, and is the same each time.

    Returns:
        The images and their classes.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: There is no such split, or no image in it.
    """
    root = Path(dataset_dir)
    splits = image_folder_splits(root)
    wanted = parse_split(split, f"folder {root}", splits)
    names = sorted({path.name for name in splits for path in _folders(root / name)})
    found = [
        (path, label)
        for label, name in enumerate(names)
        for path in sorted((root / wanted.name / name).rglob("*"))
        if path.suffix.lower() in _SUFFIXES
    ]
    if not found:
        raise ValueError(
            f"{root / wanted.name} holds no image; expected <class>/<image> with one of the "
            f"endings {', '.join(sorted(_SUFFIXES))}"
        )
    order = np.random.default_rng(_ORDER_SEED).permutation(len(found))
    paths, labels = zip(*(found[number] for number in order), strict=True)
    whole = ImageFiles("image_folder", split, tuple(names), paths, labels)
    return whole.part(*wanted.range(len(whole)))


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(x for x in path.iterdir() if x.is_dir() and not x.name.startswith("."))
