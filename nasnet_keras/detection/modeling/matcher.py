"""Which true box, if any, an anchor or proposal is matched with."""

from __future__ import annotations

from typing import Any

from keras import ops

from nasnet_keras.detection.modeling.boxes import pairwise_coverage, pairwise_iou

NEGATIVE, IGNORED = -1, -2


def match_boxes(
    candidates: Any,
    boxes: Any,
    is_object: Any,
    is_crowd: Any,
    *,
    positive_iou: float,
    negative_iou: float,
    force_best: bool,
    crowd_overlap: float,
    allowed: Any = None,
) -> Any:
    """Matches anchors or proposals with the true boxes of their images.

    A candidate is matched with the box of its largest IoU if that is at least `positive_iou`. It is
    negative if it is below `negative_iou`, and ignored in between. With `force_best`, every box is
    also matched with the allowed candidate of its largest IoU above 0. Of equal ones, the first
    wins. A negative candidate is ignored if at least the fraction `crowd_overlap` of its area lies
    within a crowd box.

    Args:
        candidates: `(N, 4)` or `(batch, N, 4)`.
        boxes: `(batch, n, 4)`, n at least 1.
        is_object: `(batch, n)`, bool: which boxes are true objects, neither padding nor crowds.
        is_crowd: `(batch, n)`, bool: which are crowds.
        positive_iou: See above.
        negative_iou: See above; at most `positive_iou`.
        force_best: See above.
        crowd_overlap: See above.
        allowed: `(batch, N)`, bool: the candidates that take part; the others are ignored.

    Returns:
        `(batch, N)`, int32: the index of the box, `NEGATIVE` or `IGNORED`.
    """
    overlap = ops.where(is_object[:, None, :], pairwise_iou(candidates, boxes), -1.0)
    if allowed is not None:
        overlap = ops.where(allowed[:, :, None], overlap, -1.0)
    largest = ops.max(overlap, axis=-1)
    matches = ops.cast(ops.argmax(overlap, axis=-1), "int32")
    matches = ops.where(
        largest >= positive_iou, matches, ops.where(largest < negative_iou, NEGATIVE, IGNORED)
    )
    covered = ops.where(is_crowd[:, None, :], pairwise_coverage(candidates, boxes), -1.0)
    in_crowd = ops.max(covered, axis=-1) >= crowd_overlap
    matches = ops.where(ops.logical_and(matches == NEGATIVE, in_crowd), IGNORED, matches)
    if force_best:
        best = ops.cast(ops.argmax(overlap, axis=1), "int32")
        indices = ops.arange(ops.shape(overlap)[1], dtype="int32")
        is_best = ops.logical_and(
            indices[None, :, None] == best[:, None, :], ops.max(overlap, axis=1)[:, None, :] > 0
        )
        first = ops.cast(ops.argmax(ops.cast(is_best, "int32"), axis=-1), "int32")
        matches = ops.where(ops.any(is_best, axis=-1), first, matches)
    if allowed is not None:
        matches = ops.where(allowed, matches, IGNORED)
    return ops.cast(matches, "int32")
