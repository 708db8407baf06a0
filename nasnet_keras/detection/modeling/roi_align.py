"""ROI align: boxes cut out of a feature map by bilinear interpolation."""

from __future__ import annotations

from typing import Any

from keras import ops


def roi_align(features: Any, boxes: Any, image_indices: Any, size: int) -> Any:
    """Samples boxes of feature maps at `size` x `size` points.

    This is the original's `tf.image.crop_and_resize`, not the RoIAlign of Mask R-CNN: one sample a
    bin, the corners of a box are sample points, and points outside the feature map give 0. Boxes
    get no gradient.

    Args:
        features: `(batch, height, width, channels)`.
        boxes: `(N, 4)`: `(y_min, x_min, y_max, x_max)` 0 is the first and 1 the last pixel of
            the feature map; any order, any place.
        image_indices: `(N,)`, int32: the image of each box.
        size: Height and width of the result.

    Returns:
        `(N, size, size, channels)` in the features' type.
    """
    boxes = ops.stop_gradient(ops.cast(boxes, "float32"))
    batch, height, width, channels = ops.shape(features)
    y_low, y_high, y_weight, y_inside = _sample_points(boxes[:, 0], boxes[:, 2], height, size)
    x_low, x_high, x_weight, x_inside = _sample_points(boxes[:, 1], boxes[:, 3], width, size)
    pixels = ops.reshape(features, (batch * height * width, channels))
    first = ops.cast(image_indices, "int32")[:, None] * height

    def gather(y: Any, x: Any) -> Any:
        rows = (first + y) * width
        found = ops.take(pixels, rows[:, :, None] + x[:, None, :], axis=0)
        return ops.cast(found, "float32")

    x_weight = x_weight[:, None, :, None]
    top = gather(y_low, x_low)
    top = top + (gather(y_low, x_high) - top) * x_weight
    bottom = gather(y_high, x_low)
    bottom = bottom + (gather(y_high, x_high) - bottom) * x_weight
    crops = top + (bottom - top) * y_weight[:, :, None, None]
    inside = ops.logical_and(y_inside[:, :, None], x_inside[:, None, :])
    return ops.cast(ops.where(inside[..., None], crops, 0.0), features.dtype)


def _sample_points(low: Any, high: Any, side: Any, size: int) -> tuple[Any, Any, Any, Any]:
    """Returns the pixels around each point, the weight of the second, and if it is inside."""
    last = ops.cast(side - 1, "float32")
    if size > 1:
        step = (high - low) * last / (size - 1)
        points = low[:, None] * last + ops.arange(size, dtype="float32")[None] * step[:, None]
    else:
        points = 0.5 * (low + high)[:, None] * last
    inside = ops.logical_and(points >= 0, points <= last)
    points = ops.where(inside, points, 0.0)
    below = ops.floor(points)
    return (
        ops.cast(below, "int32"),
        ops.cast(ops.ceil(points), "int32"),
        points - below,
        inside,
    )
