"""The format of a detector's batches: one dictionary, see `FasterRCNN`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from nasnet_keras.detection.modeling.boxes import areas

IMAGES, SIZES, BOXES, LABELS, CROWD = "images", "image_sizes", "boxes", "labels", "crowd"


class GroundTruth(NamedTuple):
    """The true boxes of a batch.

    Attributes:
        boxes: `(batch, n, 4)`, float32.
        labels: `(batch, n)`, int32.
        is_object: `(batch, n)`, bool: true objects, neither padding nor crowds.
        is_crowd: `(batch, n)`, bool: regions of many objects.
    """

    boxes: Any
    labels: Any
    is_object: Any
    is_crowd: Any


def images_and_sizes(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Returns the images and their sizes without padding.

    Args:
        inputs: The batch, see `FasterRCNN`.

    Returns:
        `(batch, height, width, 3)` and `(batch, 2)`, both float32.

    Raises:
        ValueError: The images have another shape.
    """
    images = inputs[IMAGES]
    if len(images.shape) != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"{IMAGES!r} has shape (batch, height, width, 3), got {tuple(images.shape)}"
        )
    batch, height, width, _ = ops.shape(images)
    if SIZES in inputs:
        return ops.cast(images, "float32"), ops.cast(inputs[SIZES], "float32")
    size = ops.stack([ops.cast(height, "float32"), ops.cast(width, "float32")])
    return ops.cast(images, "float32"), ops.zeros((batch, 1)) + size


def ground_truth(inputs: Mapping[str, Any], classes: int) -> GroundTruth:
    """Returns the true boxes of a batch.

    A box with a label out of range or without area is neither object nor crowd.

    Args:
        inputs: The batch, see `FasterRCNN`.
        classes: Number of classes.

    Raises:
        ValueError: There are no labels, or the boxes have another shape.
    """
    if LABELS not in inputs:
        raise ValueError(f"a batch with {BOXES!r} needs {LABELS!r} too")
    boxes, labels = ops.cast(inputs[BOXES], "float32"), ops.cast(inputs[LABELS], "int32")
    if len(boxes.shape) != 3 or boxes.shape[-1] != 4 or boxes.shape[1] == 0:
        raise ValueError(
            f"{BOXES!r} has shape (batch, n, 4), n at least 1, got {tuple(boxes.shape)}"
        )
    # A label above the classes would be a NaN or another class, by backend.
    is_valid = ops.logical_and(ops.logical_and(labels >= 0, labels < classes), areas(boxes) > 0)
    is_crowd = ops.zeros_like(is_valid)
    if CROWD in inputs:
        is_crowd = ops.logical_and(is_valid, ops.cast(inputs[CROWD], "bool"))
    is_object = ops.logical_and(is_valid, ops.logical_not(is_crowd))
    return GroundTruth(boxes, labels, is_object, is_crowd)
