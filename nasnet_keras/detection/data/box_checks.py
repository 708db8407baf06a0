"""What may be wrong with a box, and its values for an index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nasnet_keras.detection.data.source_images import SourceBox
from nasnet_keras.settings import shown

# COCO's own boxes are rounded to hundredths, Pascal VOC's corners to whole pixels: what leaves the
# image by no more than a pixel is clipped.
_TOLERANCE = 1.0
# In float32, a box of an image of 100,000 pixels a side must not become empty.
_LEAST_SIDE = 0.01


def box_row(
    box: SourceBox, size: tuple[int, int] | None, labels: Mapping[Any, int], known: set[int]
) -> tuple[str, tuple[Any, ...]]:
    """Returns what is wrong with a box, or nothing and its values for the index."""
    if not is_integer(box.id):
        return f"the id is {shown(box.id)}, not an integer", ()
    if box.id in known:
        return "another annotation has this id", ()
    known.add(box.id)
    # For a dictionary, true is 1.
    known_kind = isinstance(box.category, str) or is_integer(box.category)
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


def is_integer(value: Any) -> bool:
    """Returns whether a value is a whole number that an index can hold; true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_real(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or abs(value) < 2**63
