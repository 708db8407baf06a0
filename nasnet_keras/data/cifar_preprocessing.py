"""slim's CIFAR preprocessing (`preprocessing/cifarnet_preprocessing.py`), for tf.data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.image_reader import decode_tensor

_BORDER = 8  # One part in eight: 4 of 32 pixels on each side.
_BRIGHTNESS = 63.0
_CONTRAST = (0.2, 1.8)


@dataclass(frozen=True)
class CifarPreprocessing:
    """NASNet's and PNASNet's preprocessing of CIFAR, see `StreamPreprocessing`.

    Attributes:
        resize: Enlarge to 40x40 before the random crop of 32x32, one reading of the paper's
            "upsampled to 40x40"; by default a black border of 4 is added, as in Google's code.
        cutout: Side of the square set to the mean (DeVries and Taylor, 2017), in pixels; 0: none.
            Its centre is anywhere in the image, so that a part of it may lie outside.
        color: Change brightness and contrast at random. slim does; the papers do not name it.
    """

    resize: bool = False
    cutout: int = 0
    color: bool = False

    def evaluate(self, encoded: Any, size: int, orientation: Any = UPRIGHT) -> Any:
        """Central crop or black border, then standardization (`preprocess_for_eval`)."""
        return self.evaluate_pixels(decode_tensor(encoded, orientation), size)

    def train(self, encoded: Any, size: int, seed: Any, orientation: Any = UPRIGHT) -> Any:
        """Random crop and flip, then standardization (`preprocess_for_train`), then cutout."""
        return self.train_pixels(decode_tensor(encoded, orientation), size, seed)

    def evaluate_pixels(self, image: Any, size: int) -> Any:
        """Does as `evaluate`, from `(height, width, 3)` pixels."""
        import tensorflow as tf

        image = tf.image.resize_with_crop_or_pad(tf.cast(image, tf.float32), size, size)
        return tf.image.per_image_standardization(image)

    def train_pixels(self, image: Any, size: int, seed: Any) -> Any:
        """Does as `train`, from `(height, width, 3)` pixels."""
        import tensorflow as tf

        seeds = tf.random.split(seed, 5)
        image = tf.cast(image, tf.float32)
        border = size // _BORDER
        if self.resize:
            image = tf.image.resize(image, [size + 2 * border] * 2)
        else:
            # An image smaller than the crop gets a wider border.
            height, width = tf.unstack(tf.maximum(tf.shape(image)[:2], size))
            image = tf.image.resize_with_crop_or_pad(image, height, width)
            image = tf.pad(image, [[border, border], [border, border], [0, 0]])
        image = tf.image.stateless_random_crop(image, [size, size, 3], seeds[0])
        image = tf.image.stateless_random_flip_left_right(image, seeds[1])
        if self.color:
            image = tf.image.stateless_random_brightness(image, _BRIGHTNESS, seeds[2])
            image = tf.image.stateless_random_contrast(image, *_CONTRAST, seeds[3])
        image = tf.image.per_image_standardization(image)
        if self.cutout:
            centre = tf.random.stateless_uniform([2, 1], seeds[4], maxval=size, dtype=tf.int32)
            place = tf.range(size)[tf.newaxis] - centre + self.cutout // 2
            rows, columns = tf.unstack((place >= 0) & (place < self.cutout))
            hidden = rows[:, tf.newaxis, tf.newaxis] & columns[tf.newaxis, :, tf.newaxis]
            image = tf.where(hidden, 0.0, image)
        return image
