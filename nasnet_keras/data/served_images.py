"""Images inside of a SavedModel: which it takes, by their first bytes, and their pixels.

It has no Python, so it takes what TensorFlow decodes to the pixels of `decode_image`, and refuses
the rest before it is decoded: what would be other pixels, and what would take the server's memory.
"""

from __future__ import annotations

from typing import Any

from nasnet_keras.data.exif import UPRIGHT, orientation_in_graph, turned_in_graph
from nasnet_keras.data.image_reader import (
    FORMATS,
    decode_by_tensorflow,
    has_signature,
    same_in_tensorflow,
)

SERVED = "JPEG (not CMYK), PNG, and BMP of 24 or 32 bits a pixel without compression"
SERVED_PIXELS = 2**26
LARGEST_VALUE = 1e4
"""Larger than any preprocessed pixel, and so small that no network overflows."""


def refusal(encoded: Any) -> Any:
    """Returns why a SavedModel rejects an image, empty if it does not.

    Its first bytes tell, nothing is decoded. Damage further on is left to the decoder.

    Args:
        encoded: A scalar string tensor.

    Returns:
        A scalar string tensor.
    """
    import tensorflow as tf

    held: Any = tf.where(encoded == "", "no bytes", "no known image")
    for known in FORMATS:
        held = tf.where(has_signature(encoded, known.name), f"a {known.name} image", held)

    def of_size() -> Any:
        height, width = _served_size(encoded)
        size = tf.strings.format("an image of {} x {} pixels", (width, height))
        line = tf.strings.join(
            ["image_bytes holds ", size, f", but serve_bytes takes 1 to {SERVED_PIXELS:,}"]
        )
        fits = (height > 0) & (width > 0) & (height * width <= SERVED_PIXELS)
        return tf.where(fits, "", line)

    line = tf.strings.join(["image_bytes holds ", held, f", but serve_bytes takes {SERVED}"])
    return tf.cond(same_in_tensorflow(encoded), of_size, lambda: line)


def _served_size(encoded: Any) -> Any:
    """Returns height and width, int64, of an image that is `same_in_tensorflow`."""
    import tensorflow as tf

    # A shorter one is padded with zeros.
    header = tf.io.decode_raw(encoded, tf.uint8, fixed_length=26)

    def sides(header_bytes: Any) -> Any:
        return tf.cast(tf.bitcast(tf.reshape(header_bytes, (2, 4)), tf.int32), tf.int64)

    def of_png() -> Any:
        # Width and height begin with their high bytes; what comes before them must be there.
        begins = tf.reduce_all(header[12:16] == list(b"IHDR"))
        return tf.where(begins, sides(header[23:15:-1]), 0)

    def of_bmp() -> Any:
        # The height is negative where the first row comes first.
        width, height = tf.unstack(sides(header[18:26]))
        return tf.stack([tf.abs(height), width])

    def of_jpeg() -> Any:
        return tf.cast(tf.io.extract_jpeg_shape(encoded)[:2], tf.int64)

    def of_another() -> Any:
        return tf.cond(has_signature(encoded, "PNG"), of_png, of_bmp)

    return tf.unstack(tf.cond(has_signature(encoded, "JPEG"), of_jpeg, of_another))


def decode_served(encoded: Any, upright: bool = True) -> Any:
    """Decodes an image inside a SavedModel to the pixels of `decode_image`.

    Args:
        encoded: A scalar string tensor, without `refusal`.
        upright: Turn it as its EXIF orientation says; otherwise it is as stored.

    Returns:
        `(height, width, 3)`, uint8. Damaged images raise an `InvalidArgumentError`.
    """
    import tensorflow as tf

    image = tf.cond(
        has_signature(encoded, "JPEG"),
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: decode_by_tensorflow(encoded),
    )
    orientation = orientation_in_graph(encoded) if upright else UPRIGHT
    return turned_in_graph(tf.ensure_shape(image, (None, None, 3)), orientation)
