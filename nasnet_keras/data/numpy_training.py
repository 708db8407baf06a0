"""What training does to a picture, in NumPy: for streams where TensorFlow is not installed.

`tests/data/test_numpy_training.py` holds each change equal to TensorFlow's of the same amount
(`inception.py`, `cifar_preprocessing.py`), and the random amounts to the same distributions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from nasnet_keras.data.numpy_colors import (
    change_brightness,
    change_contrast,
    change_hue,
    change_saturation,
)
from nasnet_keras.data.numpy_preprocessing import (
    crop_or_pad,
    preprocess_picture,
    resize_bilinear,
    resize_from_corner,
    whiten,
)
from nasnet_keras.data.preprocessing import evaluation_preprocessing
from nasnet_keras.text.suggestions import unknown_name

_ATTEMPTS = 100
_ASPECT = (0.75, 1.33)
# Fractions of the image's area: slim's least of a crop, and of the object, which is the image.
_LEAST_AREA, _LEAST_COVERED = 0.05, 0.1
_BRIGHTNESS, _RANGE, _HUE = 32 / 255, (0.5, 1.5), 0.2
_CIFAR_BRIGHTNESS, _CIFAR_CONTRAST = 63.0, (0.2, 1.8)
_CUTOUT = 16
_BORDER = 8  # One part in eight: 4 of 32 pixels on each side.
_FAST_ORDERS = (("brightness", "saturation"), ("saturation", "brightness"))
_FULL_ORDERS = (
    ("brightness", "saturation", "hue", "contrast"),
    ("saturation", "brightness", "contrast", "hue"),
    ("contrast", "hue", "brightness", "saturation"),
    ("hue", "saturation", "contrast", "brightness"),
)


def sample_crop(
    height: int, width: int, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """Samples slim's distorted bounding box, with the image as the object.

    Args:
        height: Of the image.
        width: Of the image.
        generator: Of the random numbers.

    Returns:
        The first row and column, and the height and width. The crop has 0.1 to 1 of the image's
        area and an aspect ratio of 0.75 to 1.33; if 100 attempts fail, it is the image.
    """
    area = height * width
    for _ in range(_ATTEMPTS):
        aspect = generator.uniform(*_ASPECT)
        least = round((_LEAST_AREA * area / aspect) ** 0.5)
        most = min(round((area / aspect) ** 0.5), int((width + 0.5) / aspect), height)
        rows = int(generator.integers(least, most + 1)) if most > least else most
        columns = round(rows * aspect)
        if 0 < columns <= width and rows * columns >= _LEAST_COVERED * area:
            top = int(generator.integers(height - rows + 1))
            left = int(generator.integers(width - columns + 1))
            return top, left, rows, columns
    return 0, 0, height, width


def distort_color(image: np.ndarray, generator: np.random.Generator, fast: bool) -> np.ndarray:
    """Changes the colours at random, in a random one of slim's orders.

    Args:
        image: `(height, width, 3)`, float32 in [0, 1].
        generator: Of the random numbers.
        fast: Brightness and saturation only.

    Returns:
        The image; pixels may leave [0, 1].
    """
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "brightness": lambda x: change_brightness(x, generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)),
        "saturation": lambda x: change_saturation(x, generator.uniform(*_RANGE)),
        "hue": lambda x: change_hue(x, generator.uniform(-_HUE, _HUE)),
        "contrast": lambda x: change_contrast(x, generator.uniform(*_RANGE)),
    }
    orders = _FAST_ORDERS if fast else _FULL_ORDERS
    for name in orders[generator.integers(len(orders))]:
        image = changes[name](image)
    return image


def _inception(
    pixels: np.ndarray, size: int, generator: np.random.Generator, fast: bool = True
) -> np.ndarray:
    top, left, height, width = sample_crop(pixels.shape[0], pixels.shape[1], generator)
    crop = pixels[top : top + height, left : left + width]
    image = _flipped(resize_from_corner(crop, size) * np.float32(1 / 255), generator)
    return np.clip(distort_color(image, generator, fast), 0, 1) * np.float32(2) - np.float32(1)


def _cifar(
    pixels: np.ndarray,
    size: int,
    generator: np.random.Generator,
    resize: bool = False,
    cutout: int = 0,
    color: bool = False,
) -> np.ndarray:
    border = size // _BORDER
    if resize:
        image = resize_bilinear(pixels, size + 2 * border, size + 2 * border)
    else:
        # An image smaller than the crop gets a wider border.
        height, width = (max(side, size) + 2 * border for side in pixels.shape[:2])
        image = crop_or_pad(pixels, height, width)
    top, left = (int(generator.integers(side - size + 1)) for side in image.shape[:2])
    image = _flipped(image[top : top + size, left : left + size], generator)
    if color:
        amount = generator.uniform(-_CIFAR_BRIGHTNESS, _CIFAR_BRIGHTNESS)
        image = change_brightness(image, amount)
        image = change_contrast(image, generator.uniform(*_CIFAR_CONTRAST))
    image = whiten(image)
    if cutout:
        row, column = generator.integers(size, size=2) - cutout // 2
        image[max(row, 0) : max(row + cutout, 0), max(column, 0) : max(column + cutout, 0)] = 0
    return image


def _flipped(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return image[:, ::-1] if generator.integers(2) else image


_TRAINING: dict[str, Callable[..., np.ndarray]] = {
    "inception": _inception,
    "inception_full": functools.partial(_inception, fast=False),
    "cifar": _cifar,
    "cifar_cutout": functools.partial(_cifar, cutout=_CUTOUT),
    "cifar_resize": functools.partial(_cifar, resize=True),
    "cifar_color": functools.partial(_cifar, color=True),
    "scale": lambda pixels, size, _: preprocess_picture(pixels, "scale", size),
    "whiten": lambda pixels, size, _: preprocess_picture(pixels, "whiten", size),
}


def check_stream_picture(name: str) -> None:
    """Raises a `ValueError` that suggests the nearest name for an unknown preprocessing."""
    if name not in _TRAINING:
        raise ValueError(unknown_name("preprocessing", name, _TRAINING))


def training_picture(pixels: np.ndarray, name: str, size: int, seed: Any) -> np.ndarray:
    """Preprocesses and augments a picture as streams do, see `STREAM_PREPROCESSINGS`.

    Args:
        pixels: `(height, width, 3)`, in [0, 255], of any type.
        name: Of the preprocessing.
        size: Height and width of the result, in pixels.
        seed: Integers that fix the result.

    Returns:
        `(size, size, 3)`, float32.

    Raises:
        ValueError: The preprocessing is unknown; the nearest is suggested.
    """
    check_stream_picture(name)
    return _TRAINING[name](pixels, size, np.random.default_rng(seed))


def evaluation_picture(pixels: np.ndarray, name: str, size: int) -> np.ndarray:
    """Preprocesses a picture for evaluation by the name of a stream's preprocessing.

    Args:
        pixels: `(height, width, 3)`, in [0, 255], of any type.
        name: Of the preprocessing.
        size: Height and width of the result, in pixels.

    Returns:
        `(size, size, 3)`, float32.

    Raises:
        ValueError: The preprocessing is unknown; the nearest is suggested.
    """
    check_stream_picture(name)
    return preprocess_picture(pixels, evaluation_preprocessing(name), size)
