"""From annotations to an index; everything wrong in them is listed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from absl import logging

from nasnet_keras.data.exif import UPRIGHT, turned_size
from nasnet_keras.detection.data.box_checks import BoxRow, box_row, is_integer
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.image_headers import annotated_orientation, header_of
from nasnet_keras.detection.data.source_images import Header, SourceImage
from nasnet_keras.text.plain_text import shown

_SHOWN = 10
_HEADERS_AT_ONCE = 16


class _Place(NamedTuple):
    """The size that an image is annotated in, and the orientation that turns it to that."""

    size: tuple[int, int]
    orientation: int


class AnnotationError(ValueError):
    """Something is wrong with the annotations or the images.

    Attributes:
        problems: A line each, with the file and the id.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


def build_index(
    name: str,
    split: str,
    class_names: Sequence[str],
    category_ids: Sequence[int],
    images: Sequence[SourceImage],
    problems: Sequence[str] = (),
    lost_images: int = 0,
    lost_boxes: int = 0,
    drop_invalid: bool = False,
    notes: Sequence[str] = (),
    exif_orientation: bool = True,
) -> DetectionIndex:
    """Checks images and boxes and puts them into an index.

    Every image file is opened and its header read; its pixels are not decoded.

    Args:
        name: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes, in the order of the labels; those are the categories of
            the boxes.
        category_ids: The classes' ids.
        images: The images, in the order of the index.
        problems: Lines about what the caller found wrong.
        lost_images: Images among those problems, which are not in `images`.
        lost_boxes: Boxes among those problems.
        drop_invalid: Leave out and count what is wrong.
        notes: Lines about what the caller left out or assumed, see `DetectionIndex`.
        exif_orientation: See `load_detection_index`.

    Returns:
        The index.

    Raises:
        ValueError: No box is of one of the classes.
        AnnotationError: Something is wrong and `drop_invalid` is false, or nothing is left.
    """
    lines = list(problems)
    _number_boxes(images)
    labels = {each: label for label, each in enumerate(class_names)}
    _check_classes(name, split, labels, images)
    with ThreadPoolExecutor(_HEADERS_AT_ONCE) as pool:
        headers = list(pool.map(header_of, images))

    kept: list[tuple[SourceImage, _Place]] = []
    rows: list[BoxRow] = []
    counts: list[int] = []
    image_ids: set[int] = set()
    box_ids: set[int] = set()
    dropped_boxes = lost_boxes
    as_stored = 0
    for image, header in zip(images, headers, strict=True):
        reason, place = _image_problem(image, header, image_ids, exif_orientation)
        if reason:
            lines.append(f"{image.where}: {reason}")
        else:
            assert place is not None
            image_ids.add(image.id)
            kept.append((image, place))
            as_stored += not isinstance(header, str) and header[2] != place.orientation
        before = len(rows)
        # The problems of the boxes of a bad image are listed as well.
        for box in image.boxes:
            row = box_row(box, place and place.size, labels, box_ids)
            if isinstance(row, str):
                lines.append(f"{box.where}: {row}")
            if isinstance(row, str) or reason:
                dropped_boxes += 1
            else:
                rows.append(row)
        if not reason:
            counts.append(len(rows) - before)

    dropped_images = lost_images + len(images) - len(kept)
    if lines and not (drop_invalid and kept):
        raise _error(name, split, lines, kept=bool(kept))
    if lines:
        logging.warning(
            "dataset %s: %d images and %d boxes of %s are left out: %s",
            *(name, dropped_images, dropped_boxes, split, lines[0]),
        )
    notes = list(notes)
    if as_stored and exif_orientation:
        notes.append(
            f"{split}: {as_stored} images are annotated as stored, not as their EXIF orientation "
            "turns them, and are read so"
        )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(BoxRow._fields)
    return DetectionIndex(
        name=name,
        split=split,
        class_names=tuple(class_names),
        category_ids=np.array(category_ids, np.int64),
        image_ids=np.array([image.id for image, _ in kept], np.int64),
        image_names=tuple(image.name for image, _ in kept),
        sizes=np.array([place.size for _, place in kept], np.int32).reshape(-1, 2),
        paths=tuple(os.fspath(image.path) for image, _ in kept if image.path is not None),
        spans=np.array([image.span for image, _ in kept], np.int64).reshape(-1, 2),
        first_box=np.cumsum([0, *counts]).astype(np.int64),
        boxes=np.array(columns[0], np.float32).reshape(-1, 4),
        labels=np.array(columns[1], np.int32),
        crowd=np.array(columns[2], bool),
        areas=np.array(columns[3], np.float64),
        source_boxes=np.array(columns[4], np.float64).reshape(-1, 4),
        annotation_ids=np.array(columns[5], np.int64),
        orientations=np.array([place.orientation for _, place in kept], np.int32),
        dropped_images=dropped_images,
        dropped_boxes=dropped_boxes,
        cut_boxes=sum(columns[6]),
        notes=tuple(notes),
    )


def _check_classes(
    name: str, split: str, labels: Iterable[str], images: Sequence[SourceImage]
) -> None:
    """Raises an error where the boxes are all of other classes: another dataset, most likely."""
    there = {
        box.category
        for image in images
        for box in image.boxes
        if isinstance(box.category, str) and box.category
    }
    if there and there.isdisjoint(labels):
        ours, theirs = _listed(labels), _listed(sorted(there))
        raise ValueError(
            f"dataset {name}: the boxes of {split} are of other classes ({theirs}) than {ours}"
        )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown(name) for name in names[:_SHOWN]) + more


def _number_boxes(images: Sequence[SourceImage]) -> None:
    """Gives all boxes ids, from 1, where none has one of its own."""
    boxes = [box for image in images for box in image.boxes]
    if all(box.id is None for box in boxes):
        for number, box in enumerate(boxes, 1):
            box.id = number


def _error(name: str, split: str, lines: list[str], kept: bool) -> AnnotationError:
    listed = "".join(f"\n- {line}" for line in lines[:_SHOWN])
    more = f"\n- and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    hint = "drop_invalid goes on without them" if kept else "no image is left"
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    return AnnotationError(f"dataset {name}: {count} in {split} ({hint}):{listed}{more}", lines)


def _image_problem(
    image: SourceImage, header: Header | str, known: set[int], turns: bool
) -> tuple[str, _Place | None]:
    """Returns what is wrong with an image, or nothing; and what is known of its size."""
    given = image.size
    sized = given is not None and all(is_integer(side) and side > 0 for side in given)
    size = (int(given[0]), int(given[1])) if given is not None and sized else None
    place, fits = size and _Place(size, UPRIGHT), True
    if not isinstance(header, str):
        orientation = annotated_orientation(header, size, turns)
        fits = orientation is not None
        own = turned_size(*header[:2], orientation or UPRIGHT)
        place = _Place(size or own, orientation or UPRIGHT)
    if not is_integer(image.id):
        return f"the id is {shown(image.id)}, not an integer", place
    if image.id in known:
        return "another image has this id", place
    if given is not None and not sized:
        return f"the size is {shown(given[0])}x{shown(given[1])}, not two positive integers", None
    if isinstance(header, str):
        return header, place
    if not fits and size is not None:
        height, width, orientation = header
        turned = turned_size(height, width, orientation)
        exif = ""
        if turned != (height, width):
            exif = f" as stored and {turned[0]}x{turned[1]} as its EXIF orientation turns it"
            exif += "" if turns else ", which is not followed here"
        return (
            f"is {size[0]}x{size[1]} (height x width) here, but {image.path} is "
            f"{height}x{width}{exif}"
        ), place
    return "", place
