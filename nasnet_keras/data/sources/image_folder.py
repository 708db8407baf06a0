"""A folder of class folders: `<split>/<class>/*.jpg`, or `<class>/*.jpg`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from nasnet_keras.data.image_reader import SUFFIXES
from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.example_files import ImageFiles
from nasnet_keras.data.sources.image_listing import list_images, subfolders, summary
from nasnet_keras.data.sources.split import Split, is_split_name
from nasnet_keras.data.sources.stratified import HELD_OUT, stratified_order, stratified_splits

_ORDER_SEED = 0
EVERYTHING = "all"
_IN_NO_CLASS = "images in no class's folder"


class ImageFolder(DatasetFormat):
    """A folder whose folders are the splits, whose folders are the classes.

    The classes are the names of the folders of all splits together, sorted, so that a class without
    an image in one split has the same label in all. The order of the images does not follow the
    classes, and is the same each time.

    Where the folders are the classes themselves, `train`, `val` and `test` are made from them, see
    `stratified_splits`; any part of `all`, e.g. `all[:70%]`, has the classes in proportion.
    """

    names: ClassVar[dict[str, str]] = {
        "image_folder": (
            "it holds no folders like train/<class>/<image>.jpg or <class>/<image>.jpg; give the "
            "folder of the splits, or of the classes, as --dataset_dir"
        )
    }

    def splits(self) -> list[str]:
        folders = subfolders(self.root)
        if any(is_split_name(path.name) for path in folders) or not any(map(_has_image, folders)):
            return [path.name for path in folders if subfolders(path)]
        return ["train", *HELD_OUT, EVERYTHING]

    def disjoint_splits(self) -> list[str]:
        return [each for each in self.splits() if each != EVERYTHING]

    def read(self, split: Split) -> ImageFiles:
        splits = self.splits()
        is_divided = EVERYTHING not in splits
        parents = [self.root / each for each in splits] if is_divided else [self.root]
        names = sorted({path.name for parent in parents for path in subfolders(parent)})
        folder = self.root / split.name if is_divided else self.root
        listing = list_images(folder)
        labels_of = {name: label for label, name in enumerate(names)}
        found: list[tuple[int, Path]] = []
        for path in listing.paths:
            name, *below = path.relative_to(folder).parts
            if below:
                found.append((labels_of[name], path))
            else:
                listing.left_out.append((path, _IN_NO_CLASS))
        if not found:
            told = summary(listing.left_out)
            raise ValueError(
                f"{folder} holds no image{f', but {told}' if told else ''}; expected "
                f"<class>/<image> with one of the endings {', '.join(SUFFIXES)}"
            )
        found.sort()
        labels = [label for label, _ in found]
        if is_divided:
            order = np.random.default_rng(_ORDER_SEED).permutation(len(found)).tolist()
        elif split.name == EVERYTHING:
            order = stratified_order(labels)
        else:
            order = stratified_splits(labels)[split.name]
        there = {labels[index] for index in order}
        files = ImageFiles(
            self.name,
            str(split),
            tuple(names),
            tuple(found[index][1] for index in order),
            tuple(labels[index] for index in order),
            tuple(name for label, name in enumerate(names) if label not in there),
            tuple(listing.left_out),
        )
        return split.of(files)


def _has_image(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(Path(entry.name).suffix.lower() in SUFFIXES for entry in entries)
