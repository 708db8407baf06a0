"""From pixels to what a network takes, by name; the same arithmetic on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from nasnet_keras.suggestions import unknown_name


def scale(images: Any) -> Any:
    """Scales pixels in [0, 255] to [-1, 1], as slim's ImageNet networks expect them."""
    return images / 127.5 - 1.0


def whiten(images: Any) -> Any:
    """Gives each image mean 0 and deviation 1 (`tf.image.per_image_standardization`).

    The deviation is at least `1 / sqrt(values)`, so that a flat image is no division by zero.
    """
    values = images.shape[1] * images.shape[2] * images.shape[3]
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    deviation = ops.std(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) / ops.maximum(deviation, values**-0.5)


PREPROCESSINGS: dict[str, Callable[[Any], Any]] = {"scale": scale, "whiten": whiten}


def check_preprocessing(name: str) -> None:
    """Raises a `ValueError` that suggests the nearest name where there is no such preprocessing."""
    if name not in PREPROCESSINGS:
        raise ValueError(unknown_name("preprocessing", name, PREPROCESSINGS))


def preprocess(images: Any, name: str, size: int) -> Any:
    """Resizes images (bilinear) and brings their pixels to the range a network was trained on.

    Args:
        images: `(batch, height, width, 3)`, pixels in [0, 255], of any type.
        name: `"scale"` or `"whiten"`.
        size: Height and width of the result, in pixels.

    Returns:
        `(batch, size, size, 3)`, float32.

    Raises:
        ValueError: There is no such preprocessing; the nearest is suggested.
    """
    check_preprocessing(name)
    images = ops.cast(images, "float32")
    resized = ops.image.resize(
        images, (size, size), interpolation="bilinear", data_format="channels_last"
    )
    return PREPROCESSINGS[name](resized)
