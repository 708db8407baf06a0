"""`preprocess` in NumPy, for servers that have neither Keras nor one of its backends.

Streams without TensorFlow read images by it too; what they change at random in training is in
`numpy_training.py`.

`tests/data/test_numpy_preprocessing.py` holds it equal to `nasnet_keras.data.preprocessing`. Only
the pixels that a result needs are read, so that a large picture takes no memory but its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nasnet_keras.text.suggestions import unknown_name


def resize_bilinear(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Resizes a picture, bilinear, with half-pixel centres and without antialiasing.

    Args:
        pixels: `(height, width, 3)`, of any type.
        rows: Height of the result.
        columns: Width of the result.

    Returns:
        `(rows, columns, 3)`, float32.
    """
    height, width = pixels.shape[:2]
    return _interpolated(pixels, _centres(height, rows), _centres(width, columns))


def resize_from_corner(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resizes a picture as TF 1 did: the first pixel of the result is the first one read.

    Args:
        pixels: `(height, width, 3)`, of any type.
        size: Height and width of the result.

    Returns:
        `(size, size, 3)`, float32.
    """

    def places(length: int) -> np.ndarray:
        return np.arange(size, dtype="float32") * (np.float32(length) / np.float32(size))

    return _interpolated(pixels, places(pixels.shape[0]), places(pixels.shape[1]))


def crop_or_pad(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cuts a picture to its centre or gives it a black border, each side as it needs.

    Args:
        pixels: `(height, width, 3)`, of any type.
        height: Of the result.
        width: Of the result.

    Returns:
        `(height, width, 3)`, float32.
    """
    result = np.zeros((height, width, 3), "float32")
    taken, put = [], []
    for length, size in zip(pixels.shape[:2], (height, width), strict=True):
        # Where one pixel is over, it is cut off, or added, at the end.
        start, kept = max(length - size, 0) // 2, min(length, size)
        margin = max(size - length, 0) // 2
        taken.append(slice(start, start + kept))
        put.append(slice(margin, margin + kept))
    result[tuple(put)] = pixels[tuple(taken)]
    return result


def _centres(length: int, size: int) -> np.ndarray:
    """Returns where the pixels of a resized axis lie on the one it is made from."""
    step = np.float32(length) / np.float32(size)
    places = (np.arange(size, dtype="float32") + np.float32(0.5)) * step - np.float32(0.5)
    return np.clip(places, 0, length - 1)


def _interpolated(pixels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns a picture's values at fractions of its rows and columns, float32."""
    top, bottom, row_weight = _neighbours(rows, pixels.shape[0])
    left, right, column_weight = _neighbours(columns, pixels.shape[1])

    def row(index: np.ndarray) -> np.ndarray:
        lines = pixels.take(index, axis=0)
        first = lines.take(left, axis=1).astype("float32")
        second = lines.take(right, axis=1).astype("float32")
        return first + (second - first) * column_weight[:, np.newaxis]

    upper = row(top)
    return upper + (row(bottom) - upper) * row_weight[:, np.newaxis, np.newaxis]


def _neighbours(places: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lower = np.floor(places)
    before = lower.astype("int64")
    return before, np.minimum(before + 1, length - 1), (places - lower).astype("float32")


def scale(image: np.ndarray) -> np.ndarray:
    """Scales pixels in [0, 255] to [-1, 1]."""
    return image / np.float32(127.5) - np.float32(1)


def whiten(image: np.ndarray) -> np.ndarray:
    """Gives an image mean 0 and deviation 1, as `preprocessing.whiten`."""
    deviation = np.maximum(image.std(), np.float32(image.size**-0.5))
    return (image - image.mean()) / deviation


def _inception(pixels: np.ndarray, size: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, left = height // 16, width // 16
    return scale(resize_from_corner(pixels[top : height - top, left : width - left], size))


PREPROCESSINGS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "scale": lambda pixels, size: scale(resize_bilinear(pixels, size, size)),
    "whiten": lambda pixels, size: whiten(resize_bilinear(pixels, size, size)),
    "inception": _inception,
    "cifar": lambda pixels, size: whiten(crop_or_pad(pixels, size, size)),
}


def preprocess_picture(pixels: np.ndarray, name: str, size: int) -> np.ndarray:
    """Resizes and scales a picture as a network was trained.

    Args:
        pixels: `(height, width, 3)`, in [0, 255], of any type.
        name: See `nasnet_keras.data.preprocessing.preprocess`.
        size: Height and width of the result, in pixels.

    Returns:
        `(size, size, 3)`, float32.

    Raises:
        ValueError: The preprocessing is unknown; the nearest is suggested.
    """
    if name not in PREPROCESSINGS:
        raise ValueError(unknown_name("preprocessing", name, PREPROCESSINGS))
    return PREPROCESSINGS[name](pixels, size)
