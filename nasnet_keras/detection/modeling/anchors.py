"""Anchors: boxes of fixed sizes around every position of the features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

Size = tuple[float, float]
"""Height and width, in pixels."""


def anchor_sizes(
    base_size: float, scales: Sequence[float], aspect_ratios: Sequence[float]
) -> list[Size]:
    """Returns the sizes of the anchors of one position: all scales of a ratio, then of the next.

    Args:
        base_size: Side of the square anchor of scale 1, in pixels.
        scales: Scales of the side.
        aspect_ratios: Width by height; anchors of one scale have one area.

    Returns:
        `(height, width)` of each, in pixels.
    """
    return [
        (base_size * scale / math.sqrt(ratio), base_size * scale * math.sqrt(ratio))
        for ratio in aspect_ratios
        for scale in scales
    ]


def make_anchors(
    sizes: Sequence[Size], height: Any, width: Any, stride: int, offset: float = 0.0
) -> Any:
    """Makes the anchors of a feature map.

    Args:
        sizes: `(height, width)` of the anchors of one position, in pixels.
        height: Height of the feature map; a number or a tensor.
        width: Its width.
        stride: Pixels between positions.
        offset: Centre of the first position, in pixels.

    Returns:
        `(height * width * len(sizes), 4)`, float32, `(y_min, x_min, y_max, x_max)` in pixels: row
        by row, and at each position in the order of `sizes`.
    """
    halves = np.asarray(sizes, "float32") / 2
    corners = ops.convert_to_tensor(np.concatenate([-halves, halves], axis=1))
    y = ops.cast(ops.arange(height), "float32") * float(stride) + offset
    x = ops.cast(ops.arange(width), "float32") * float(stride) + offset
    y, x = ops.meshgrid(y, x, indexing="ij")
    centres = ops.reshape(ops.stack([y, x, y, x], axis=-1), (-1, 1, 4))
    return ops.reshape(centres + corners, (-1, 4))


def anchors_inside(
    sizes: Sequence[Size], image_size: tuple[int, int], stride: int, offset: float = 0.0
) -> int:
    """Counts the anchors that lie within an image.

    Args:
        sizes: As in `make_anchors`.
        image_size: `(height, width)` in pixels.
        stride: Pixels between positions.
        offset: Centre of the first position, in pixels.

    Returns:
        How many.
    """

    def positions(size: float, side: int) -> int:
        centres = np.arange(-(-side // stride)) * stride + offset
        return int(((centres >= size / 2) & (centres <= side - size / 2)).sum())

    return sum(positions(h, image_size[0]) * positions(w, image_size[1]) for h, w in sizes)
