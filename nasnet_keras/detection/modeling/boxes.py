"""Arithmetic of boxes: overlap, area, clipping. A box is `(y_min, x_min, y_max, x_max)`."""

from __future__ import annotations

from typing import Any

from keras import ops


def areas(boxes: Any) -> Any:
    """Returns the areas of boxes `(..., 4)`: `(...)`; 0 where a side is negative."""
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def pairwise_iou(boxes: Any, others: Any) -> Any:
    """Returns the intersection over union of every pair.

    `keras.utils.bounding_boxes.compute_iou` gives the same, but imports TensorFlow on every
    backend.

    Args:
        boxes: `(N, 4)` or `(batch, N, 4)`.
        others: `(M, 4)` or `(batch, M, 4)`.

    Returns:
        `(N, M)` or `(batch, N, M)`, 0 where a box has no area.
    """
    common = _intersections(boxes, others)
    return ops.divide_no_nan(
        common, areas(boxes)[..., :, None] + areas(others)[..., None, :] - common
    )


def pairwise_coverage(boxes: Any, others: Any) -> Any:
    """Returns the fraction of each box that lies within each other one.

    Args:
        boxes: `(N, 4)` or `(batch, N, 4)`.
        others: `(M, 4)` or `(batch, M, 4)`.

    Returns:
        `(N, M)` or `(batch, N, M)`: intersection by the area of `boxes`, 0 for a box without area.
    """
    return ops.divide_no_nan(_intersections(boxes, others), areas(boxes)[..., :, None])


def _intersections(boxes: Any, others: Any) -> Any:
    """Returns the area of the intersection of each pair."""
    y_min, x_min, y_max, x_max = (boxes[..., :, None, k] for k in range(4))
    other_y_min, other_x_min, other_y_max, other_x_max = (others[..., None, :, k] for k in range(4))
    height = ops.minimum(y_max, other_y_max) - ops.maximum(y_min, other_y_min)
    width = ops.minimum(x_max, other_x_max) - ops.maximum(x_min, other_x_min)
    return ops.maximum(height, 0.0) * ops.maximum(width, 0.0)


def clip_boxes(boxes: Any, image_sizes: Any) -> Any:
    """Clips boxes to their images.

    Args:
        boxes: `(batch, N, 4)` or `(N, 4)`, in pixels.
        image_sizes: `(batch, 2)`: height and width, in pixels.

    Returns:
        `(batch, N, 4)`.
    """
    limits = ops.concatenate([image_sizes, image_sizes], axis=-1)[:, None, :]
    return ops.minimum(ops.maximum(boxes, 0.0), limits)


def lie_inside(boxes: Any, image_sizes: Any) -> Any:
    """Says which boxes lie within their images; arguments as `clip_boxes`; `(batch, N)`, bool."""
    inside = ops.logical_and(boxes[..., :2] >= 0, boxes[..., 2:] <= image_sizes[:, None, :])
    return ops.all(inside, axis=-1)
