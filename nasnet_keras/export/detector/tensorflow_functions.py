"""A detector as TensorFlow functions that other formats are made from."""

from __future__ import annotations

from typing import Any

from nasnet_keras.detection.data.augmentation import whole_view
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.export.detector_description import OUTPUTS
from nasnet_keras.export.signatures import answer_for_each, read_each


def padded_suppression(
    boxes: Any, scores: Any, limit: int, iou_threshold: float, score_threshold: float
) -> tuple[Any, Any]:
    """`non_max_suppression` as one operation a row, which ONNX and LiteRT have as well.

    The numbers of rows and of boxes must be known.
    """
    import tensorflow as tf

    count = scores.shape[1]
    # Runtimes pick any of several equal scores, e.g. of exactly 1: boxes are ranked instead, and
    # sorting puts the first of equals first.
    ranks = tf.range(count, 0, -1, dtype=tf.float32)
    indices, picked = [], []
    for row_boxes, row_scores in zip(tf.unstack(boxes), tf.unstack(scores), strict=True):
        ordered, order = tf.math.top_k(row_scores, count)
        found, taken = tf.raw_ops.NonMaxSuppressionV4(
            boxes=tf.gather(row_boxes, order),
            scores=tf.where(ordered > score_threshold, ranks, 0.0),
            max_output_size=limit,
            iou_threshold=iou_threshold,
            score_threshold=0.5,
            pad_to_max_output_size=True,
        )
        is_taken = tf.range(limit) < taken
        found = tf.gather(order, tf.reshape(found, [limit]))
        indices.append(tf.where(is_taken, found, 0))
        picked.append(is_taken)
    return tf.stack(indices), tf.stack(picked)


def fixed_function(model: FasterRCNN, size: tuple[int, int]) -> Any:
    """Returns the detector for one image of a fixed size.

    Args:
        model: The detector.
        size: Height and width of the image.

    Returns:
        A `tf.function` of `images`, float32 `(1, *size, 3)` in [0, 255], and `image_sizes`, float32
        `(1, 2)`: height and width without the padding; it returns a dictionary of `OUTPUTS`.
    """
    import tensorflow as tf

    signature = [
        tf.TensorSpec((1, *size, 3), tf.float32, name="images"),
        tf.TensorSpec((1, 2), tf.float32, name="image_sizes"),
    ]

    def detect(images: Any, image_sizes: Any) -> dict[str, Any]:
        return model.detect(images, image_sizes, padded_suppression)

    return tf.function(detect, input_signature=signature)


def frozen_function(function: Any) -> Any:
    """Returns what `fixed_function` returned, with its weights as constants.

    LiteRT cannot read variables within a loop, and the second stage is one.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    frozen = convert_variables_to_constants_v2(function.get_concrete_function())

    def detect(images: Any, image_sizes: Any) -> dict[str, Any]:
        # Freezing flattens the dictionary, by its keys.
        return dict(zip(sorted(OUTPUTS), frozen(images, image_sizes), strict=True))

    return tf.function(detect, input_signature=function.input_signature)


def detect_encoded(served: TrainedDetector, image_bytes: Any) -> dict[str, Any]:
    """Decodes pictures, resizes them as in training and detects.

    Args:
        served: The detector.
        image_bytes: `(batch,)`, strings: image files.

    Returns:
        As `select_detections`, with `names`, strings, and `status`, see `read_each`; boxes are in
        pixels of each picture. Nothing is found in those that are refused.
    """
    import tensorflow as tf

    canvas = served.image_size
    names = tf.constant([*served.class_names, ""])

    def prepare(picture: Any) -> Any:
        size = tf.shape(picture)[:2]
        view = whole_view(size, canvas, served.keep_aspect)
        rows, columns = view.new_height, view.new_width
        image = tf.image.resize(picture, (rows, columns), method="bilinear")
        missing = [[0, canvas[0] - rows], [0, canvas[1] - columns], [0, 0]]
        filled = tf.cast(tf.stack([rows, columns]), tf.float32)
        return tf.ensure_shape(tf.pad(image, missing), (*canvas, 3)), filled, tf.cast(size, "float")

    specs = (
        tf.TensorSpec((*canvas, 3), tf.float32),
        tf.TensorSpec((2,), tf.float32),
        tf.TensorSpec((2,), tf.float32),
    )
    (images, filled, sizes), status = read_each(
        image_bytes, prepare, specs, served.exif_orientation
    )
    found = served.model.detect(images, filled)
    limits = tf.tile(sizes, [1, 2])[:, tf.newaxis]
    boxes = found["boxes"] * (limits / tf.tile(filled, [1, 2])[:, tf.newaxis])
    labels = tf.where(found["labels"] < 0, len(served.class_names), found["labels"])
    return answer_for_each(
        status,
        boxes=(tf.clip_by_value(boxes, 0.0, limits), 0),
        scores=(found["scores"], 0),
        labels=(found["labels"], -1),
        count=(found["count"], 0),
        names=(tf.gather(names, labels), ""),
    )
