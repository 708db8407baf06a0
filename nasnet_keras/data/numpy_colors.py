"""TensorFlow's changes of an image's colours (`tf.image.adjust_...`), in NumPy.

Images are `(height, width, 3)`, float32; pixels may be outside of [0, 1].
"""

from __future__ import annotations

import numpy as np


def change_brightness(image: np.ndarray, amount: float) -> np.ndarray:
    """Adds an amount to all pixels."""
    return image + np.float32(amount)


def change_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies the distances from the mean of each channel."""
    mean = image.mean(axis=(0, 1))
    return (image - mean) * np.float32(factor) + mean


def change_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies the saturation of each pixel, to 1 at most; hue and value stay."""
    high, spread = _high_and_spread(image)
    # Saturation is the spread over the highest channel, and none where that is black or darker.
    at_most = np.divide(high, spread, out=np.full_like(high, np.inf), where=spread > 0)
    factors = np.where(high > 0, np.minimum(np.float32(factor), at_most), np.float32(0))
    high = high[..., np.newaxis]
    return high - (high - image) * factors[..., np.newaxis]


def change_hue(image: np.ndarray, amount: float) -> np.ndarray:
    """Turns the hue of each pixel by a fraction of the circle; its extremes stay."""
    high, spread = _high_and_spread(image)
    red, green, blue = np.moveaxis(image, -1, 0)
    # In sixths of the circle, from the channel that is the highest.
    divisor = np.where(spread > 0, spread, np.float32(1))
    hue = np.where(
        red == high,
        (green - blue) / divisor,
        np.where(green == high, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    ) + np.float32(6 * amount)
    channels = []
    for start in (5, 3, 1):
        place = (start + hue) % np.float32(6)
        channels.append(high - spread * np.clip(np.minimum(place, 4 - place), 0, 1))
    return np.stack(channels, axis=-1)


def _high_and_spread(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the highest channel of each pixel, and how much less the lowest one is."""
    # Much faster than a reduction over so short an axis.
    red, green, blue = np.moveaxis(image, -1, 0)
    high = np.maximum(np.maximum(red, green), blue)
    return high, high - np.minimum(np.minimum(red, green), blue)
