"""Everything that there is to say about the image files of a dataset, found in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from nasnet_keras.data.check.image_check import checked_images
from nasnet_keras.data.sources.example_files import Examples, ImageFiles

Size = tuple[int, int]


@dataclass
class SplitFindings:
    """What was found in a split.

    Attributes:
        images: How many images there are.
        classes: How many classes.
        empty_classes: Those without an image, or without a box.
        smallest: Height and width of the smallest image, by area; `None` without a sound one.
        largest: Those of the largest.
    """

    images: int
    classes: int
    empty_classes: tuple[str, ...] = ()
    smallest: Size | None = None
    largest: Size | None = None


@dataclass
class Findings:
    """What was found in a dataset.

    Attributes:
        splits: Each split by its name.
        unreadable: What is wrong with each file that cannot be decoded, by its path.
        annotations: What is wrong with the annotations, a line each.
        duplicates: Groups of files of one split with the same content.
        in_several_splits: Groups of files with the same content in different splits: what a network
            was trained on is not to score it.
        left_out: Why each file that is no image is left out, by its path.
    """

    splits: dict[str, SplitFindings] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    annotations: tuple[str, ...] = ()
    duplicates: list[list[str]] = field(default_factory=list)
    in_several_splits: list[list[str]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns the findings as JSON can hold them."""
        return {**vars(self), "splits": {name: vars(each) for name, each in self.splits.items()}}


def inspect_files(
    splits: Sequence[Examples], annotations: Sequence[str] = (), console: Console | None = None
) -> Findings:
    """Decodes every file of some splits.

    Args:
        splits: The splits, whose examples have files of their own.
        annotations: What is wrong with the annotations, a line each.
        console: Where to show how far it is.
    """
    result = Findings(annotations=tuple(annotations))
    splits_of: dict[str, list[str]] = {}
    for split in splits:
        empty = ()
        if isinstance(split, ImageFiles):
            empty = split.empty_classes
            result.left_out |= {str(path): reason for path, reason in split.left_out}
        result.splits[split.split] = SplitFindings(len(split), len(split.class_names), empty)
        for path in split.own_files():
            splits_of.setdefault(path, []).append(split.split)
    # A digest a file is all that is held, and the first path of each.
    first: dict[bytes, str] = {}
    groups: dict[str, list[str]] = {}
    for path, image in checked_images(splits_of, console=console):
        if image.problem:
            result.unreadable[path] = image.problem
        else:
            for name in splits_of[path]:
                _include(result.splits[name], (image.height, image.width))
        if image.digest:
            same = first.setdefault(image.digest, path)
            if same != path:
                groups.setdefault(same, [same]).append(path)
    for paths in groups.values():
        apart = {name for path in paths for name in splits_of[path]}
        (result.in_several_splits if len(apart) > 1 else result.duplicates).append(sorted(paths))
    shared = [[path] for path, names in splits_of.items() if len(names) > 1 and path not in groups]
    result.in_several_splits += shared
    return result


def _include(split: SplitFindings, size: Size) -> None:
    def area(each: Size) -> int:
        return each[0] * each[1]

    split.smallest = min(split.smallest or size, size, key=area)
    split.largest = max(split.largest or size, size, key=area)
