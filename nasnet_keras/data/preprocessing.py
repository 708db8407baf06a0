"""Preprocessing of pixels by name, the same on every backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from nasnet_keras.text.suggestions import unknown_name


def scale(images: Any) -> Any:
    """Scales pixels in [0, 255] to [-1, 1], as slim's ImageNet networks expect them."""
    return images / 127.5 - 1.0


def whiten(images: Any) -> Any:
    """Gives each image mean 0 and deviation 1 (`tf.image.per_image_standardization`).

    The deviation is at least `1 / sqrt(values)`, which avoids a division by zero.
    """
    values = images.shape[1] * images.shape[2] * images.shape[3]
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    deviation = ops.std(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) / ops.maximum(deviation, values**-0.5)


def _resize(images: Any, size: int) -> Any:
    return ops.image.resize(
        images, (size, size), interpolation="bilinear", data_format="channels_last"
    )


def inception(images: Any, size: int) -> Any:
    """Slim's `inception_preprocessing.preprocess_for_eval`: central crop of 0.875, resize, scale.

    Images are float32 in [0, 255], their sides may be dynamic; the result is in [-1, 1].
    """
    for axis in (1, 2):
        images = _resize_axis(images, size, axis)
    return scale(images)


def _resize_axis(images: Any, size: int, axis: int) -> Any:
    """Crops an axis to its central 7/8 and resizes it as TF 1 did, which Keras cannot."""
    length = ops.cast(ops.shape(images)[axis], "int32")
    start = length // 16
    length = length - 2 * start
    # TF 1 puts the first pixel of the result on the first pixel read, not centre over centre.
    step = ops.cast(length, "float32") / size
    place = ops.arange(size, dtype="float32") * step
    lower = ops.floor(place)
    weight = ops.reshape(place - lower, (-1, 1, 1) if axis == 1 else (-1, 1))
    lower = ops.cast(lower, "int32")
    upper = ops.minimum(lower + 1, length - 1)
    first, second = (ops.take(images, start + index, axis=axis) for index in (lower, upper))
    return first + (second - first) * weight


def cifar(images: Any, size: int) -> Any:
    """Slim's `cifarnet_preprocessing.preprocess_for_eval`: central crop or black border, whitened.

    Images are float32 in [0, 255], their sides may be dynamic.
    """
    for axis in (1, 2):
        length = ops.cast(ops.shape(images)[axis], "int32")
        # Where one pixel is over, it is cut off, or added, at the end.
        start = ops.where(length > size, (length - size) // 2, -((size - length) // 2))
        index = ops.arange(size, dtype="int32") + start
        inside = ops.cast(ops.logical_and(index >= 0, index < length), images.dtype)
        inside = ops.reshape(inside, (-1, 1, 1) if axis == 1 else (-1, 1))
        images = ops.take(images, ops.clip(index, 0, length - 1), axis=axis) * inside
    return whiten(images)


PREPROCESSINGS: dict[str, Callable[[Any, int], Any]] = {
    "scale": lambda images, size: scale(_resize(images, size)),
    "whiten": lambda images, size: whiten(_resize(images, size)),
    "inception": inception,
    "cifar": cifar,
}

# Streams have more names, which differ in training only.
_EVALUATED_AS = {
    "inception_full": "inception",
    "cifar_cutout": "cifar",
    "cifar_resize": "cifar",
    "cifar_color": "cifar",
}


def evaluation_preprocessing(name: str) -> str:
    """Returns the name that a stream's preprocessing has in evaluation.

    Args:
        name: Any name; returned as it is if evaluation has no other.
    """
    return _EVALUATED_AS.get(name, name)


def check_preprocessing(name: str) -> None:
    """Raises a `ValueError` that suggests the nearest name for an unknown preprocessing."""
    if name not in PREPROCESSINGS:
        raise ValueError(unknown_name("preprocessing", name, PREPROCESSINGS))


def preprocess(images: Any, name: str, size: int) -> Any:
    """Resizes and scales images as a network was trained.

    Args:
        images: `(batch, height, width, 3)`, pixels in [0, 255], of any type.
        name: `"scale"` or `"whiten"`, after a bilinear resize; `"inception"` or `"cifar"`, which
            are slim's evaluation preprocessing to the last step.
        size: Height and width of the result, in pixels.

    Returns:
        `(batch, size, size, 3)`, float32.

    Raises:
        ValueError: The preprocessing is unknown; the nearest is suggested.
    """
    check_preprocessing(name)
    return PREPROCESSINGS[name](ops.cast(images, "float32"), size)
