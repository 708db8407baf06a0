"""From annotations to an index; everything wrong in them is listed."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from absl import logging
from PIL import Image, UnidentifiedImageError

from nasnet_keras.data.image_reader import FORMAT_NAMES, open_image
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.settings import shown

_SHOWN = 10
# COCO's own boxes are rounded to hundredths, Pascal VOC's corners to whole pixels: what leaves the
# image by no more than a pixel is clipped.
_TOLERANCE = 1.0
# In float32, a box of an image of 100,000 pixels a side must not become empty.
_LEAST_SIDE = 0.01
_ORIENTATION_TAG, _SIDEWAYS = 0x0112, (5, 6, 7, 8)
_HEADERS_AT_ONCE = 16


class AnnotationError(ValueError):
    """Something is wrong with the annotations or the images.

    Attributes:
        problems: A line each, with the file and the id.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass
class SourceBox:
    """A box as in an annotation file, unchecked.

    Attributes:
        id: Its id, which `where` shows.
        category: A key of the categories.
        box: Left, top, width, height in pixels.
        crowd: Whether it is a region of many objects.
        area: Its area; `None`: that of the box.
        where: How to find it, e.g. `"instances_val2017.json: annotation 7"`.
    """

    id: Any
    category: Any
    box: Any
    crowd: Any
    area: Any
    where: str


@dataclass
class SourceImage:
    """An image as in an annotation file.

    Attributes:
        id: Its id.
        name: Its file name.
        path: File that holds it; `None`: its name leads out of the folder.
        size: Height and width that the annotation gives; `None`: the image's own.
        where: How to find its entry.
        boxes: Its boxes.
        span: First byte and length in the file; a length of -1 means all of it.
        header: What `image_header` returned; `None`: not read yet.
    """

    id: Any
    name: str
    path: Path | None
    size: tuple[Any, Any] | None
    where: str
    boxes: list[SourceBox] = field(default_factory=list)
    span: tuple[int, int] = (0, -1)
    header: tuple[int, int, bool] | str | None = None


def build_index(
    name: str,
    split: str,
    categories: Mapping[Any, str],
    category_ids: Sequence[int],
    images: Sequence[SourceImage],
    problems: Sequence[str] = (),
    lost_images: int = 0,
    lost_boxes: int = 0,
    drop_invalid: bool = False,
) -> DetectionIndex:
    """Checks images and boxes and puts them into an index.

    Every image file is opened and its header read; its pixels are not decoded.

    Args:
        name: Name of the dataset.
        split: Name of the split.
        categories: Names of the classes, in the order of the labels, by what the boxes call them.
        category_ids: The classes' ids.
        images: The images, in the order of the index.
        problems: Lines about what the caller found wrong.
        lost_images: Images among those problems, which are not in `images`.
        lost_boxes: Boxes among those problems.
        drop_invalid: Leave out and count what is wrong.

    Returns:
        The index.

    Raises:
        AnnotationError: Something is wrong and `drop_invalid` is false, or nothing is left.
    """
    lines = list(problems)
    labels = {key: label for label, key in enumerate(categories)}
    with ThreadPoolExecutor(_HEADERS_AT_ONCE) as pool:
        headers = list(pool.map(_header, images))

    kept: list[tuple[SourceImage, tuple[int, int]]] = []
    rows: list[tuple[Any, ...]] = []
    counts: list[int] = []
    image_ids: set[int] = set()
    box_ids: set[int] = set()
    dropped_boxes = lost_boxes
    for image, header in zip(images, headers, strict=True):
        reason, size = _image_problem(image, header, image_ids)
        if reason:
            lines.append(f"{image.where}: {reason}")
        else:
            assert size is not None
            image_ids.add(image.id)
            kept.append((image, size))
        before = len(rows)
        # The problems of the boxes of a bad image are listed as well.
        for box in image.boxes:
            problem, row = _box_row(box, size, labels, box_ids)
            if problem:
                lines.append(f"{box.where}: {problem}")
            if problem or reason:
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
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    return DetectionIndex(
        name=name,
        split=split,
        class_names=tuple(categories.values()),
        category_ids=np.array(category_ids, np.int64),
        image_ids=np.array([image.id for image, _ in kept], np.int64),
        image_names=tuple(image.name for image, _ in kept),
        sizes=np.array([size for _, size in kept], np.int32).reshape(-1, 2),
        paths=tuple(os.fspath(image.path) for image, _ in kept if image.path is not None),
        spans=np.array([image.span for image, _ in kept], np.int64).reshape(-1, 2),
        first_box=np.cumsum([0, *counts]).astype(np.int64),
        boxes=np.array(columns[0], np.float32).reshape(-1, 4),
        labels=np.array(columns[1], np.int32),
        crowd=np.array(columns[2], bool),
        areas=np.array(columns[3], np.float64),
        source_boxes=np.array(columns[4], np.float64).reshape(-1, 4),
        annotation_ids=np.array(columns[5], np.int64),
        dropped_images=dropped_images,
        dropped_boxes=dropped_boxes,
    )


def _error(name: str, split: str, lines: list[str], kept: bool) -> AnnotationError:
    listed = "".join(f"\n- {line}" for line in lines[:_SHOWN])
    more = f"\n- and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    hint = "drop_invalid goes on without them" if kept else "no image is left"
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    return AnnotationError(f"dataset {name}: {count} in {split} ({hint}):{listed}{more}", lines)


def image_header(
    file: BinaryIO, path: Path, given: tuple[Any, Any] | None = None
) -> tuple[int, int, bool] | str:
    """Reads the size of an image.

    Args:
        file: The encoded image.
        path: Its name, for messages.
        given: Height and width that the annotation gives.

    Returns:
        Height, width, and whether they are `given` the other way round and the EXIF tag says that
        the image lies on its side; or what is wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with open_image(file) as opened:
                sideways = False
                # Of some formats, Pillow decodes the whole image to find the tag.
                if given == opened.size and given != (opened.height, opened.width):
                    sideways = opened.getexif().get(_ORIENTATION_TAG) in _SIDEWAYS
                return opened.height, opened.width, sideways
    except UnidentifiedImageError:
        return f"{path} is not an image of a format that is read ({FORMAT_NAMES})"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"{path} cannot be read as an image: {error}"


def _header(image: SourceImage) -> tuple[int, int, bool] | str:
    if image.header is not None:
        return image.header
    if image.path is None:
        return f"the file name {image.name!r} leads out of the folder of the images"
    try:
        with image.path.open("rb") as file:
            return image_header(file, image.path, image.size)
    except FileNotFoundError:
        return f"image file {image.path} is missing"
    except OSError as error:
        return f"image file {image.path}: {error.strerror}"


def _image_problem(
    image: SourceImage, header: tuple[int, int, bool] | str, known: set[int]
) -> tuple[str, tuple[int, int] | None]:
    """Returns what is wrong with an image, or nothing; and its size, where it is known."""
    given = image.size
    sized = given is not None and all(_is_integer(side) and side > 0 for side in given)
    size = (int(given[0]), int(given[1])) if given is not None and sized else None
    if not isinstance(header, str):
        size = size or header[:2]
    if not _is_integer(image.id):
        return f"the id is {shown(image.id)}, not an integer", size
    if image.id in known:
        return "another image has this id", size
    if given is not None and not sized:
        return f"the size is {shown(given[0])}x{shown(given[1])}, not two positive integers", None
    if isinstance(header, str):
        return header, size
    if size != header[:2]:
        assert size is not None
        exif = "; its EXIF orientation turns it, which is not done here" if header[2] else ""
        return (
            f"is {size[0]}x{size[1]} (height x width) here, but {image.path} is "
            f"{header[0]}x{header[1]}{exif}"
        ), size
    return "", size


def _box_row(
    box: SourceBox, size: tuple[int, int] | None, labels: Mapping[Any, int], known: set[int]
) -> tuple[str, tuple[Any, ...]]:
    """Returns what is wrong with a box, or nothing and its values for the index."""
    if not _is_integer(box.id):
        return f"the id is {shown(box.id)}, not an integer", ()
    if box.id in known:
        return "another annotation has this id", ()
    known.add(box.id)
    # For a dictionary, true is 1.
    known_kind = isinstance(box.category, str) or _is_integer(box.category)
    label = labels.get(box.category) if known_kind else None
    if label is None:
        return f"unknown category {shown(box.category)}", ()
    values = box.box
    if not isinstance(values, (list, tuple)) or len(values) != 4 or not all(map(_is_real, values)):
        return f"the box is {shown(values)}, not four numbers", ()
    left, top, width, height = (float(value) for value in values)
    wrong = ""
    if not all(map(math.isfinite, (left, top, width, height))):
        wrong = "is not finite"
    elif width <= 0 or height <= 0:
        wrong = f"has {'negative' if min(width, height) < 0 else 'zero'} size"
    elif size is not None and _leaves(left, top, left + width, top + height, size):
        wrong = f"leaves the image, which is {size[0]}x{size[1]} (height x width)"
    if wrong:
        place = f"[{left:g}, {top:g}, {width:g}, {height:g}] (left, top, width, height)"
        return f"the box {place} {wrong}", ()
    if box.crowd not in (0, 1, None):
        return f"iscrowd is {shown(box.crowd)}, not 0 or 1", ()
    area = width * height if box.area is None else box.area
    if not _is_real(area) or not math.isfinite(area) or area < 0:
        return f"the area is {shown(area)}", ()
    rows, columns = size or (math.inf, math.inf)
    edges = (
        *(max(top, 0.0), max(left, 0.0)),
        *(min(top + height, rows), min(left + width, columns)),
    )
    return "", (edges, label, bool(box.crowd), float(area), (left, top, width, height), box.id)


def _leaves(left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> bool:
    out = max(-top, -left, bottom - size[0], right - size[1]) > _TOLERANCE
    # What is clipped may have nothing left, or nothing that float32 can tell from it.
    seen_height = min(bottom, size[0]) - max(top, 0.0)
    seen_width = min(right, size[1]) - max(left, 0.0)
    return out or min(seen_height, seen_width) < _LEAST_SIDE


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_real(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) < 2**63
