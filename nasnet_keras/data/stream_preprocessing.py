"""Preprocessing of encoded images inside tf.data, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from nasnet_keras.data.cifar_preprocessing import CifarPreprocessing
from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.image_reader import decode_tensor
from nasnet_keras.data.inception import InceptionPreprocessing
from nasnet_keras.text.suggestions import unknown_name


class StreamPreprocessing(Protocol):
    """From an encoded image, a scalar string, to `(size, size, 3)`, float32.

    The image is turned upright first, by its orientation, see `orientation_tensor`.
    """

    def evaluate(self, encoded: Any, size: int, orientation: Any = UPRIGHT) -> Any:
        """Preprocesses an image for evaluation."""
        ...

    def train(self, encoded: Any, size: int, seed: Any, orientation: Any = UPRIGHT) -> Any:
        """Preprocesses and augments an image; `seed`: two integers that fix the result."""
        ...


@dataclass(frozen=True)
class PlainPreprocessing:
    """A bilinear resize without augmentation; see `nasnet_keras.data.preprocessing`.

    Attributes:
        whiten: Standardize each image; otherwise scale to [-1, 1].
    """

    whiten: bool

    def evaluate(self, encoded: Any, size: int, orientation: Any = UPRIGHT) -> Any:
        import tensorflow as tf

        image = tf.image.resize(
            tf.cast(decode_tensor(encoded, orientation), tf.float32), [size, size]
        )
        return tf.image.per_image_standardization(image) if self.whiten else image / 127.5 - 1.0

    def train(self, encoded: Any, size: int, seed: Any, orientation: Any = UPRIGHT) -> Any:
        return self.evaluate(encoded, size, orientation)


STREAM_PREPROCESSINGS: dict[str, StreamPreprocessing] = {
    "inception": InceptionPreprocessing(),
    "inception_full": InceptionPreprocessing(fast=False),
    "cifar": CifarPreprocessing(),
    "cifar_cutout": CifarPreprocessing(cutout=16),
    "cifar_resize": CifarPreprocessing(resize=True),
    "cifar_color": CifarPreprocessing(color=True),
    "scale": PlainPreprocessing(whiten=False),
    "whiten": PlainPreprocessing(whiten=True),
}


def get_stream_preprocessing(name: str) -> StreamPreprocessing:
    """Returns the preprocessing of a name.

    Raises:
        ValueError: The name is unknown; the nearest is suggested.
    """
    if name not in STREAM_PREPROCESSINGS:
        raise ValueError(unknown_name("preprocessing", name, STREAM_PREPROCESSINGS))
    return STREAM_PREPROCESSINGS[name]
