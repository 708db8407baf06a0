"""The format of a detector's batches: one dictionary, see `FasterRCNN`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from nasnet_keras.detection.modeling.boxes import areas

IMAGES, SIZES, BOXES, LABELS, CROWD = "images", "image_sizes", "boxes", "labels", "crowd"


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


def ground_truth(inputs: Mapping[str, Any], classes: int) -> tuple[Any, Any, Any, Any]:
    """Returns the true boxes of a batch.

    A box is neither object nor crowd if its label is no class or it has no area.

    Args:
        inputs: The batch, see `FasterRCNN`.
        classes: Number of classes.

    Returns:
        `(boxes, labels, objects, crowds)`: `(batch, n, 4)` float32, and `(batch, n)` int32, bool
        and bool.

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
    real = ops.logical_and(ops.logical_and(labels >= 0, labels < classes), areas(boxes) > 0)
    crowd = ops.zeros_like(real)
    if CROWD in inputs:
        crowd = ops.logical_and(real, ops.cast(inputs[CROWD], "bool"))
    return boxes, labels, ops.logical_and(real, ops.logical_not(crowd)), crowd
