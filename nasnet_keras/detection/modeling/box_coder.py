"""Boxes as what a network predicts: offsets and log sizes relative to an anchor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

LARGEST_LOG_RATIO = math.log(1000 / 16)
"""Cap of a decoded log size: a box at most 62.5 anchors long, so that no prediction overflows."""

SMALLEST_SIDE = 1e-6
"""Least side in pixels, so that a box or anchor without area gives finite codes."""


def encode_boxes(boxes: Any, anchors: Any, scales: Sequence[float]) -> Any:
    """Encodes boxes relative to anchors.

    `keras.utils.bounding_boxes` has the same, but imports TensorFlow on every backend.

    Args:
        boxes: `(batch, N, 4)`, in pixels; one for each anchor.
        anchors: `(N, 4)` or `(batch, N, 4)`.
        scales: Factors of the four numbers (the papers: 10, 10, 5, 5).

    Returns:
        `(batch, N, 4)`: `(y, x)` of the centre by the anchor's sides, `log` of the height and width
        by the anchor's, each times its factor.
    """
    centres, sides = _centres_and_sides(boxes)
    anchor_centres, anchor_sides = _centres_and_sides(anchors)
    offsets = (centres - anchor_centres) / anchor_sides
    codes = ops.concatenate([offsets, ops.log(sides / anchor_sides)], axis=-1)
    return codes * ops.convert_to_tensor(scales, "float32")


def decode_boxes(encodings: Any, anchors: Any, scales: Sequence[float]) -> Any:
    """Decodes what `encode_boxes` gave; log sizes are capped at `LARGEST_LOG_RATIO`.

    Args:
        encodings: `(batch, N, 4)`.
        anchors: `(N, 4)` or `(batch, N, 4)`.
        scales: As in `encode_boxes`.

    Returns:
        `(batch, N, 4)`, in pixels.
    """
    codes = encodings / ops.convert_to_tensor(scales, "float32")
    anchor_centres, anchor_sides = _centres_and_sides(anchors)
    centres = codes[..., :2] * anchor_sides + anchor_centres
    halves = ops.exp(ops.minimum(codes[..., 2:], LARGEST_LOG_RATIO)) * anchor_sides / 2
    return ops.concatenate([centres - halves, centres + halves], axis=-1)


def _centres_and_sides(boxes: Any) -> tuple[Any, Any]:
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], SMALLEST_SIDE)
    return (boxes[..., 2:] + boxes[..., :2]) / 2, sides
