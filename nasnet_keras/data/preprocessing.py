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


def _scaled(images: Any, size: int) -> Any:
    return scale(_resize(images, size))


def _whitened(images: Any, size: int) -> Any:
    return whiten(_resize(images, size))


def _resize(images: Any, size: int) -> Any:
    return ops.image.resize(
        images, (size, size), interpolation="bilinear", data_format="channels_last"
    )


def inception(images: Any, size: int) -> Any:
    """Slim's `inception_preprocessing.preprocess_for_eval`: central crop of 0.875, resize, scale.

    Args:
        images: `(batch, height, width, 3)`, float32 in [0, 255]; the sides may be dynamic.
        size: Side of the result, in pixels.

    Returns:
        `(batch, size, size, 3)` in [-1, 1].
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
    share = ops.reshape(place - lower, (-1, 1, 1) if axis == 1 else (-1, 1))
    lower = ops.cast(lower, "int32")
    upper = ops.minimum(lower + 1, length - 1)
    first, second = (ops.take(images, start + index, axis=axis) for index in (lower, upper))
    return first + (second - first) * share


def cifar(images: Any, size: int) -> Any:
    """Slim's `cifarnet_preprocessing.preprocess_for_eval`: central crop or black border, whitened.

    Args:
        images: `(batch, height, width, 3)`, float32 in [0, 255]; the sides may be dynamic.
        size: Side of the result, in pixels.

    Returns:
        `(batch, size, size, 3)`, each image with mean 0 and deviation 1.
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
    "scale": _scaled,
    "whiten": _whitened,
    "inception": inception,
    "cifar": cifar,
}

# Streams have more names: they change training images in other ways, and in evaluation do the same.
_EVALUATED_AS = {
    "inception_full": "inception",
    "cifar_cutout": "cifar",
    "cifar_resize": "cifar",
    "cifar_color": "cifar",
}


def evaluation_preprocessing(name: str) -> str:
    """Returns the preprocessing that does what one of a stream does in evaluation.

    Args:
        name: Any name; one that has no other for evaluation is returned as it is.
    """
    return _EVALUATED_AS.get(name, name)


def check_preprocessing(name: str) -> None:
    """Raises a `ValueError` that suggests the nearest name where there is no such preprocessing."""
    if name not in PREPROCESSINGS:
        raise ValueError(unknown_name("preprocessing", name, PREPROCESSINGS))


def preprocess(images: Any, name: str, size: int) -> Any:
    """Brings images to the size and the range of pixels that a network was trained on.

    Args:
        images: `(batch, height, width, 3)`, pixels in [0, 255], of any type.
        name: `"scale"` or `"whiten"`, after a bilinear resize; `"inception"` or `"cifar"`, which
            are slim's evaluation preprocessing to the last step.
        size: Height and width of the result, in pixels.

    Returns:
        `(batch, size, size, 3)`, float32.

    Raises:
        ValueError: There is no such preprocessing; the nearest is suggested.
    """
    check_preprocessing(name)
    return PREPROCESSINGS[name](ops.cast(images, "float32"), size)
