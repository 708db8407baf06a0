"""`preprocess` in NumPy, for servers that have neither Keras nor one of its backends.

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
        first = pixels[np.ix_(index, left)].astype("float32")
        second = pixels[np.ix_(index, right)].astype("float32")
        return first + (second - first) * column_weight[:, np.newaxis]

    upper = row(top)
    return upper + (row(bottom) - upper) * row_weight[:, np.newaxis, np.newaxis]


def _neighbours(places: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lower = np.floor(places)
    before = lower.astype("int64")
    return before, np.minimum(before + 1, length - 1), (places - lower).astype("float32")


def _scale(image: np.ndarray) -> np.ndarray:
    return image / np.float32(127.5) - np.float32(1)


def _whiten(image: np.ndarray) -> np.ndarray:
    deviation = np.maximum(image.std(), np.float32(image.size**-0.5))
    return (image - image.mean()) / deviation


def _inception(pixels: np.ndarray, size: int) -> np.ndarray:
    def places(length: int) -> np.ndarray:
        # TF 1 puts the first pixel of the result on the first pixel read.
        return np.arange(size, dtype="float32") * (np.float32(length) / np.float32(size))

    height, width = pixels.shape[:2]
    top, left = height // 16, width // 16
    middle = pixels[top : height - top, left : width - left]
    return _scale(_interpolated(middle, places(middle.shape[0]), places(middle.shape[1])))


def _cifar(pixels: np.ndarray, size: int) -> np.ndarray:
    result = np.zeros((size, size, 3), "float32")
    taken, put = [], []
    for length in pixels.shape[:2]:
        # Where one pixel is over, it is cut off, or added, at the end.
        start, kept = max(length - size, 0) // 2, min(length, size)
        margin = max(size - length, 0) // 2
        taken.append(slice(start, start + kept))
        put.append(slice(margin, margin + kept))
    result[tuple(put)] = pixels[tuple(taken)]
    return _whiten(result)


PREPROCESSINGS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "scale": lambda pixels, size: _scale(resize_bilinear(pixels, size, size)),
    "whiten": lambda pixels, size: _whiten(resize_bilinear(pixels, size, size)),
    "inception": _inception,
    "cifar": _cifar,
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
