"""Non-maximum suppression with static shapes, on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

Suppression = Callable[[Any, Any, int, float, float], tuple[Any, Any]]
"""A function with the arguments and results of `non_max_suppression`."""


def non_max_suppression(
    boxes: Any, scores: Any, limit: int, iou_threshold: float, score_threshold: float
) -> tuple[Any, Any]:
    """Picks boxes by decreasing score, leaving out those that overlap one picked before.

    The same as `tf.image.non_max_suppression` on each image: the first of equal scores is picked,
    and a box without area overlaps none. It has no gradient.

    Args:
        boxes: `(batch, N, 4)`.
        scores: `(batch, N)`.
        limit: Largest number of boxes to pick.
        iou_threshold: IoU above which a box is left out.
        score_threshold: Score above which a box takes part.

    Returns:
        `(indices, picked)`, both `(batch, limit)`: int32, by decreasing score, and whether the
        place is taken; the indices of the others are 0.
    """
    boxes = ops.stop_gradient(ops.cast(boxes, "float32"))
    scores = ops.stop_gradient(ops.cast(scores, "float32"))
    y_min, x_min, y_max, x_max = (boxes[..., i] for i in range(4))
    area = ops.maximum(y_max - y_min, 0.0) * ops.maximum(x_max - x_min, 0.0)
    indices = ops.arange(ops.shape(scores)[1], dtype="int32")[None]
    places = ops.arange(limit, dtype="int32")[None]
    out = -1.0 + ops.zeros_like(scores) + min(score_threshold, 0.0)
    left = ops.where(scores > score_threshold, scores, out)
    none = ops.zeros_like(indices[:, :1] + ops.cast(scores[:, :1], "int32") + places) - 1

    def goes_on(place: Any, left: Any, picked: Any) -> Any:
        return ops.logical_and(place < limit, ops.any(left > score_threshold))

    def pick(place: Any, left: Any, picked: Any) -> tuple[Any, Any, Any]:
        best = ops.cast(ops.argmax(left, axis=-1), "int32")[:, None]
        is_valid = ops.take_along_axis(left, best, axis=-1) > score_threshold

        def of_best(values: Any) -> Any:
            return ops.take_along_axis(values, best, axis=-1)

        height = ops.minimum(y_max, of_best(y_max)) - ops.maximum(y_min, of_best(y_min))
        width = ops.minimum(x_max, of_best(x_max)) - ops.maximum(x_min, of_best(x_min))
        shared = ops.maximum(height, 0.0) * ops.maximum(width, 0.0)
        # Without a division, which for two boxes without area would be 0 by 0.
        overlaps = shared > iou_threshold * (area + of_best(area) - shared)
        left = ops.where(ops.logical_or(overlaps, indices == best), out, left)
        new = ops.logical_and(places == place, is_valid)
        return place + 1, left, ops.where(new, best, picked)

    start = ops.convert_to_tensor(0, "int32")
    _, _, picked = ops.while_loop(goes_on, pick, (start, left, none))
    return ops.maximum(picked, 0), picked >= 0
