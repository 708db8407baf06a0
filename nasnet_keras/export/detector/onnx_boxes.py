"""A detector's arithmetic of boxes as ONNX, rounded as `detection.modeling` rounds it.

Each function adds nodes to a graph and takes and returns names of tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasnet_keras.detection.modeling.box_coder import LARGEST_LOG_RATIO, SMALLEST_SIDE
from nasnet_keras.export.graph.onnx_builder import OnnxBuilder


@dataclass(frozen=True)
class Kept:
    """The best boxes after NMS, by decreasing score; all tensors have `limit` places.

    Attributes:
        boxes: `(limit, 4)`, 0 in empty places.
        scores: `(limit,)`, 0 in empty places.
        rows: `(limit,)`, int64: the row that each comes from.
        is_valid: `(limit,)`, bool: false in empty places.
    """

    boxes: str
    scores: str
    rows: str
    is_valid: str


def last_axis(b: OnnxBuilder, x: str, start: int, stop: int) -> str:
    """Returns a part of the last axis."""
    return b.add("Slice", x, *(b.constant([value], "int64") for value in (start, stop, -1)))


def clip_boxes(b: OnnxBuilder, boxes: str, limits: str) -> str:
    """Clips boxes `(..., 4)` to an image; limits: `(1, 4)`, height, width, height, width."""
    return b.add("Min", b.add("Max", boxes, b.constant(0.0, "float32")), limits)


def have_area(b: OnnxBuilder, boxes: str) -> str:
    """Says which boxes `(..., 4)` have an area: `(...)`, bool."""
    sides = b.add("Sub", last_axis(b, boxes, 2, 4), last_axis(b, boxes, 0, 2))
    sides = b.add("Max", sides, b.constant(0.0, "float32"))
    area = b.add("Mul", last_axis(b, sides, 0, 1), last_axis(b, sides, 1, 2))
    positive = b.add("Greater", area, b.constant(0.0, "float32"))
    return b.add("Squeeze", positive, b.constant([-1], "int64"))


def decode_boxes(b: OnnxBuilder, encodings: str, anchors: str, scales: Sequence[float]) -> str:
    """Decodes boxes as `box_coder.decode_boxes`; the arguments are broadcast to one shape."""
    half = b.constant(2.0, "float32")
    codes = b.add("Div", encodings, b.constant(scales, "float32"))
    low, high = last_axis(b, anchors, 0, 2), last_axis(b, anchors, 2, 4)
    sides = b.add("Max", b.add("Sub", high, low), b.constant(SMALLEST_SIDE, "float32"))
    anchor_centres = b.add("Div", b.add("Add", high, low), half)
    centres = b.add("Add", b.add("Mul", last_axis(b, codes, 0, 2), sides), anchor_centres)
    ratios = b.add("Min", last_axis(b, codes, 2, 4), b.constant(LARGEST_LOG_RATIO, "float32"))
    halves = b.add("Div", b.add("Mul", b.add("Exp", ratios), sides), half)
    return b.add("Concat", b.add("Sub", centres, halves), b.add("Add", centres, halves), axis=-1)


def suppress(
    b: OnnxBuilder,
    boxes: str,
    scores: str,
    shape: tuple[int, int],
    per_row: int,
    limit: int,
    iou_threshold: float,
    score_threshold: float,
) -> Kept:
    """Suppresses duplicates in each row and keeps the best of all rows.

    Args:
        b: The graph.
        boxes: `(rows, N, 4)`.
        scores: `(rows, N)`.
        shape: Rows and N.
        per_row: Boxes kept of a row.
        limit: Boxes kept of all.
        iou_threshold: IoU above which the box of the lower score is dropped.
        score_threshold: Score above which a box takes part.
    """
    rows, count = shape
    threshold = b.constant(score_threshold, "float32")
    ordered, order = b.add_many("TopK", scores, b.constant([count], "int64"), count=2)
    last = b.constant([-1], "int64")
    by_side = b.add(
        "Expand", b.add("Unsqueeze", order, last), b.constant([rows, count, 4], "int64")
    )
    boxes = b.add("GatherElements", boxes, by_side, axis=1)
    # Runtimes pick any of several equal scores; of ranks there are no equal ones.
    ranks = b.constant(np.arange(count, 0, -1)[np.newaxis], "float32")
    takes_part = b.add("Greater", ordered, threshold)
    ranks = b.add("Where", takes_part, ranks, b.constant(0.0, "float32"))
    picked = b.add(
        "NonMaxSuppression",
        boxes,
        b.add("Unsqueeze", ranks, b.constant([1], "int64")),
        b.constant([per_row], "int64"),
        b.constant([iou_threshold], "float32"),
        b.constant([0.5], "float32"),
    )
    # Back in their places, because no order of what was picked is promised.
    places = b.add("Gather", picked, b.constant([0, 2], "int64"), axis=1)
    nothing = b.constant(np.full(shape, -1.0), "float32")
    kept = b.add("ScatterND", nothing, places, b.add("GatherND", ordered, places))
    kept = b.add("Reshape", kept, last)
    if rows * count < limit:
        more = b.constant([0, limit - rows * count], "int64")
        kept = b.add("Pad", kept, more, b.constant(-1.0, "float32"))
    best, index = b.add_many("TopK", kept, b.constant([limit], "int64"), count=2)
    is_valid = b.add("Greater", best, threshold)
    index = b.add("Where", is_valid, index, b.constant(0, "int64"))
    found = b.add("Gather", b.add("Reshape", boxes, b.constant([-1, 4], "int64")), index)
    zero = b.constant(0.0, "float32")
    return Kept(
        boxes=b.add("Where", b.add("Unsqueeze", is_valid, last), found, zero),
        scores=b.add("Where", is_valid, best, zero),
        rows=b.add("Div", index, b.constant(count, "int64")),
        is_valid=is_valid,
    )


def roi_align(
    b: OnnxBuilder, features: str, shape: tuple[int, int, int], boxes: str, count: int, size: int
) -> str:
    """Samples boxes of a feature map, see `detection.modeling.roi_align`.

    As two products with the weights of bilinear interpolation. ONNX's own RoiAlign is no faster and
    treats points at the border, where rounding puts many, in another way.

    Args:
        b: The graph.
        features: `(height, width, channels)`.
        shape: Its shape.
        boxes: `(count, 4)`: `(y_min, x_min, y_max, x_max)`; 0 is the first, 1 the last pixel.
        count: Their number.
        size: Height and width of the result.

    Returns:
        `(count, size, size, channels)`.
    """
    height, width, channels = shape
    rows = _interpolation(b, boxes, 0, height, size)
    columns = _interpolation(b, boxes, 1, width, size)
    flat = b.add("Reshape", features, b.constant([height, width * channels], "int64"))
    of_rows = b.add(
        "MatMul", b.add("Reshape", rows, b.constant([count * size, height], "int64")), flat
    )
    of_rows = b.add("Reshape", of_rows, b.constant([count, size, width, channels], "int64"))
    columns = b.add("Unsqueeze", columns, b.constant([1], "int64"))
    return b.add("MatMul", columns, of_rows)


def _interpolation(b: OnnxBuilder, boxes: str, axis: int, side: int, size: int) -> str:
    """Returns the weight of each pixel of a side in each sample point: `(count, size, side)`."""
    low, high = last_axis(b, boxes, axis, axis + 1), last_axis(b, boxes, axis + 2, axis + 3)
    last = b.constant(side - 1, "float32")
    if size > 1:
        extent = b.add("Mul", b.add("Sub", high, low), last)
        step = b.add("Div", extent, b.constant(size - 1, "float32"))
        steps = b.add("Mul", b.constant(np.arange(size)[np.newaxis], "float32"), step)
        points = b.add("Add", b.add("Mul", low, last), steps)
    else:
        middle = b.add("Mul", b.constant(0.5, "float32"), b.add("Add", low, high))
        points = b.add("Mul", middle, last)
    points = b.add("Unsqueeze", points, b.constant([-1], "int64"))
    distance = b.add("Abs", b.add("Sub", points, b.constant(np.arange(side), "float32")))
    weights = b.add("Relu", b.add("Sub", b.constant(1.0, "float32"), distance))
    inside = b.add(
        "And",
        b.add("GreaterOrEqual", points, b.constant(0.0, "float32")),
        b.add("LessOrEqual", points, last),
    )
    return b.add("Where", inside, weights, b.constant(0.0, "float32"))
