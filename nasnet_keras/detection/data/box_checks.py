"""What may be wrong with a box, and its values for an index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from nasnet_keras.detection.data.source_images import SourceBox
from nasnet_keras.text.plain_text import shown

# COCO's own boxes are rounded to hundredths, Pascal VOC's corners to whole pixels: what leaves the
# image by no more than a pixel is not worth a word.
_TOLERANCE = 1.0
# A box of which more than this fraction is inside the image is cut at its edge: the object is
# there, and someone drew generously. Of the others it is not known what they are about.
_INSIDE = 0.5
# In float32, a box of an image of 100,000 pixels a side must not become empty.
_LEAST_SIDE = 0.01


_Four = tuple[float, float, float, float]


class BoxRow(NamedTuple):
    """The values of a box for an index; see `DetectionIndex` for the first ones.

    Attributes:
        box: Top, left, bottom, right in pixels, inside the image.
        label: Its class.
        crowd: Whether it is a region of many objects.
        area: Its area.
        source_box: Left, top, width, height; as in the file, unless it is cut.
        annotation_id: Its id.
        is_cut: Whether it was cut by more than a pixel.
    """

    box: _Four
    label: int
    crowd: bool
    area: float
    source_box: _Four
    annotation_id: int
    is_cut: bool


def box_row(
    box: SourceBox, size: tuple[int, int] | None, labels: Mapping[Any, int], known: set[int]
) -> BoxRow | str:
    """Returns the values of a box for an index, or what is wrong with it.

    A box that leaves the image is cut at its edge where more than half of its area is inside.

    Args:
        box: The box.
        size: Height and width of its image, `None` where that is not known.
        labels: The labels of the classes by what the boxes call them.
        known: The ids of the boxes before, to which its own is added.
    """
    if not is_integer(box.id):
        return f"the id is {shown(box.id)}, not an integer"
    if box.id in known:
        return "another annotation has this id"
    known.add(box.id)
    # For a dictionary, true is 1.
    known_kind = isinstance(box.category, str) or is_integer(box.category)
    label = labels.get(box.category) if known_kind else None
    if label is None:
        return f"unknown category {shown(box.category)}"
    found = _placed(box.box, size)
    if isinstance(found, str):
        return found
    if box.crowd not in (0, 1, None):
        return f"iscrowd is {shown(box.crowd)}, not 0 or 1"
    edges, source, is_cut = found
    area = source[2] * source[3] if box.area is None else box.area
    if not _is_real(area) or not math.isfinite(area) or area < 0:
        return f"the area is {shown(area)}"
    return BoxRow(edges, label, bool(box.crowd), float(area), source, box.id, is_cut)


def _placed(values: Any, size: tuple[int, int] | None) -> tuple[_Four, _Four, bool] | str:
    """Returns a box as `BoxRow` has it twice, and whether it is cut; or what is wrong with it."""
    if not isinstance(values, (list, tuple)) or len(values) != 4 or not all(map(_is_real, values)):
        return f"the box is {shown(values)}, not four numbers"
    left, top, width, height = map(float, values)
    place = f"the box [{left:g}, {top:g}, {width:g}, {height:g}] (left, top, width, height)"
    if not all(map(math.isfinite, (left, top, width, height))):
        return f"{place} is not finite"
    if width <= 0 or height <= 0:
        return f"{place} has {'negative' if min(width, height) < 0 else 'zero'} size"
    rows, columns = size or (math.inf, math.inf)
    first_row, first_column = max(top, 0.0), max(left, 0.0)
    last_row, last_column = min(top + height, rows), min(left + width, columns)
    seen_height, seen_width = last_row - first_row, last_column - first_column
    is_cut = max(-top, -left, top + height - rows, left + width - columns) > _TOLERANCE
    # What is cut may have nothing left, or nothing that float32 can tell from it.
    is_gone = min(seen_height, seen_width) < _LEAST_SIDE
    if is_gone or (is_cut and seen_height * seen_width <= _INSIDE * width * height):
        image = f"{rows}x{columns} (height x width)"
        return f"{place} leaves the image, which is {image}, by half or more"
    edges = first_row, first_column, last_row, last_column
    cut = first_column, first_row, seen_width, seen_height
    return edges, cut if is_cut else (left, top, width, height), is_cut


def is_integer(value: Any) -> bool:
    """Returns whether a value is a whole number that an index can hold; true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_real(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) < 2**63
