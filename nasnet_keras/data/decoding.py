"""Encoded images to pixels, inside tf.data."""

from __future__ import annotations

from typing import Any


def decode(encoded: Any) -> Any:
    """Decodes a JPEG, PNG, BMP or GIF image (of a GIF, the first frame).

    Args:
        encoded: A scalar string tensor.

    Returns:
        `(height, width, 3)`, uint8; grey is repeated to three channels.
    """
    import tensorflow as tf

    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image.set_shape((None, None, 3))
    return image


def image_shape(encoded: Any) -> Any:
    """Returns `(height, width, 3)`, int32, of an encoded image; of a JPEG without decoding it."""
    import tensorflow as tf

    def of_jpeg() -> Any:
        return tf.concat([tf.io.extract_jpeg_shape(encoded)[:2], [3]], 0)

    return tf.cond(tf.io.is_jpeg(encoded), of_jpeg, lambda: tf.shape(decode(encoded)))


def decode_crop(encoded: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    """Decodes a part of an image; of a JPEG, only the blocks that hold it.

    Args:
        encoded: A scalar string tensor.
        top: First row, an int32 scalar.
        left: First column.
        height: Rows.
        width: Columns.

    Returns:
        `(height, width, 3)`, uint8.
    """
    import tensorflow as tf

    def of_jpeg() -> Any:
        return tf.io.decode_and_crop_jpeg(encoded, [top, left, height, width], channels=3)

    def of_another() -> Any:
        return decode(encoded)[top : top + height, left : left + width]

    image = tf.cond(tf.io.is_jpeg(encoded), of_jpeg, of_another)
    image.set_shape((None, None, 3))
    return image
