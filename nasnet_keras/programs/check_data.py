"""Decodes every image of a dataset of your own and lists what is wrong with it.

  nasnet-keras check-data --dataset_dir=pictures --output=findings.json

For folders of images, and datasets in COCO's and Pascal VOC's formats. What was decoded once is not
decoded again until it changes, so that a check that was ended goes on where it was. The exit code
is 1 where a training would be refused: a file cannot be decoded, an annotation is wrong, a class is
empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.errors import FAILED
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Settings
from nasnet_keras.text.plain_text import say

if TYPE_CHECKING:
    from nasnet_keras.data.check.findings import Findings
    from nasnet_keras.data.sources.example_files import Examples


@dataclass(frozen=True)
class Flags(Settings):
    """What is checked.

    Attributes:
        dataset_dir: Directory of the dataset: a folder of images, or in COCO's or Pascal VOC's
            layout.
        dataset_split_name: The split, or a part of one. Default: all.
        output: JSON file to write the findings to. Default: none.
        allow_empty_classes: Whether a class of a folder of images may have none in a split.
    """

    dataset_dir: str
    dataset_split_name: str | None = None
    output: str | None = None
    allow_empty_classes: bool = False


def main(flags: Flags) -> int:
    if flags.output:
        check_can_write(flags.output)
    import_keras_quietly()
    from absl import logging

    from nasnet_keras.data.check.findings import inspect_files
    from nasnet_keras.detection.data.detection_index import DetectionIndex

    verbosity = logging.get_verbosity()
    # What is left out is listed below.
    logging.set_verbosity(logging.ERROR)
    try:
        found = _open(Path(flags.dataset_dir))
        splits, problems = _read(found, flags.dataset_split_name)
        findings = inspect_files(splits, problems)
    finally:
        logging.set_verbosity(verbosity)
    indices = [split for split in splits if isinstance(split, DetectionIndex)]
    for line in dict.fromkeys(x for each in indices for x in (each.summary(), *each.remarks())):
        say(line)
    if flags.output:
        with atomic_write(flags.output) as path:
            path.write_text(json.dumps(findings.to_dict(), indent=2) + "\n")
    return FAILED if _show(findings, flags.allow_empty_classes) else 0


def _open(root: Path) -> Any:
    """Returns the dataset of files of one's own that is in a directory."""
    from nasnet_keras.data.sources.dataset_format import find_format
    from nasnet_keras.data.sources.image_folder import ImageFolder
    from nasnet_keras.detection.data.datasets import FORMATS

    if not root.is_dir():
        raise FileNotFoundError(2, "the dataset's directory is missing", str(root))
    found = find_format(FORMATS, root) or ImageFolder.find(root, "image_folder")
    if found is None:
        raise ValueError(
            f"{root} holds no images of your own: neither folders like train/<class>/<image>.jpg "
            f"or <class>/<image>.jpg, nor {', nor '.join(each.layout for each in FORMATS)}"
        )
    return found


def _read(found: Any, split_name: str | None) -> tuple[list[Examples], list[str]]:
    """Returns the splits of a dataset, as far as they can be used, and what else is wrong."""
    from nasnet_keras.detection.data.annotation_checks import AnnotationError

    splits, problems = [], []
    for name in [split_name] if split_name else found.disjoint_splits():
        try:
            splits.append(found.read(found.parse(name)))
        except AnnotationError as error:
            problems += error.problems
            try:
                splits.append(found.read(found.parse(name), drop_invalid=True))
            except AnnotationError:
                continue  # Nothing is left to look at.
        if not splits[-1].own_files():
            raise ValueError(
                f"{found.root}: only images in files of their own are checked; records have "
                "checksums, and training skips the few that are damaged"
            )
    return splits, problems


def _show(findings: Findings, allow_empty_classes: bool) -> int:
    """Prints the findings; returns how many of them would end a training."""
    for name, split in findings.splits.items():
        sizes = ""
        if split.smallest and split.largest:
            sizes = f", {_size(split.smallest)} to {_size(split.largest)} (height x width)"
        say(f"{name}: {split.images} images of {split.classes} classes{sizes}")
    _list("files are left out", [f"{path}: {why}" for path, why in findings.left_out.items()])
    _list("groups of files are the same", map(" = ".join, findings.duplicates))
    _list("files are in several splits", map(" = ".join, findings.in_several_splits))
    empty = [
        f"{name}: {each}" for name, split in findings.splits.items() for each in split.empty_classes
    ]
    wrong = 0 if allow_empty_classes else len(empty)
    _list("classes are empty", empty)
    wrong += _list("annotations or images are wrong", findings.annotations)
    unreadable = [f"{path}: {why}" for path, why in findings.unreadable.items()]
    wrong += _list("files cannot be decoded", unreadable)
    images = sum(split.images for split in findings.splits.values())
    say(f"{images} images checked: {wrong or 'no'} problem{'s' if wrong != 1 else ''}")
    return wrong


def _list(title: str, lines: Any) -> int:
    lines = list(lines)
    if lines:
        say(f"{len(lines)} {title}:")
        for line in lines:
            say(f"  {line}")
    return len(lines)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


PROGRAM = Program(main, (Flags,))
