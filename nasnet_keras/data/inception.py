"""slim's Inception preprocessing (`preprocessing/inception_preprocessing.py`), for tf.data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.image_reader import decode_crop, decode_tensor, image_shape

_KEPT = 0.875  # Side of the central crop at evaluation.
_BRIGHTNESS = 32 / 255
_RANGE = (0.5, 1.5)  # Of contrast and saturation.
_HUE = 0.2
# slim's four orders of the full colour distortion, and the two of the fast one.
_FULL_ORDERS = (
    ("brightness", "saturation", "hue", "contrast"),
    ("saturation", "brightness", "contrast", "hue"),
    ("contrast", "hue", "brightness", "saturation"),
    ("hue", "saturation", "contrast", "brightness"),
)
_FAST_ORDERS = (("brightness", "saturation"), ("saturation", "brightness"))


@dataclass(frozen=True)
class InceptionPreprocessing:
    """NASNet's and PNASNet's preprocessing of ImageNet, see `StreamPreprocessing`.

    Attributes:
        fast: Distort brightness and saturation only, as slim trained; hue and contrast cost about
            as much as all else.
    """

    fast: bool = True

    def evaluate(self, encoded: Any, size: int, orientation: Any = UPRIGHT) -> Any:
        """Central crop of 0.875, bilinear resize, scale to [-1, 1] (`preprocess_for_eval`)."""
        import tensorflow as tf

        image = tf.image.convert_image_dtype(decode_tensor(encoded, orientation), tf.float32)
        return _resize(tf.image.central_crop(image, _KEPT), size) * 2 - 1

    def train(self, encoded: Any, size: int, seed: Any, orientation: Any = UPRIGHT) -> Any:
        """Random crop, resize, flip and colours, scale to [-1, 1] (`preprocess_for_train`).

        Only the crop is decoded, so that the chroma of a JPEG may differ a little at its border.
        """
        import tensorflow as tf

        seeds = tf.random.split(seed, 6)
        corner, extent = sample_crop(image_shape(encoded, orientation), seeds[0])
        crop = decode_crop(encoded, corner[0], corner[1], extent[0], extent[1], orientation)
        image = _resize(tf.image.convert_image_dtype(crop, tf.float32), size)
        image = tf.image.stateless_random_flip_left_right(image, seeds[1])
        image = distort_color(image, seeds[2:], self.fast)
        return tf.clip_by_value(image, 0.0, 1.0) * 2 - 1


def sample_crop(shape: Any, seed: Any) -> tuple[Any, Any]:
    """Samples slim's distorted bounding box, with the image as the object.

    Args:
        shape: `(height, width, 3)` of the image, int32.
        seed: Two integers.

    Returns:
        The first row and column, and the height and width, int32. The crop has 0.05 to 1 of the
        image's area and an aspect ratio of 0.75 to 1.33; if 100 attempts fail, it is the image.
    """
    import tensorflow as tf

    begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
        shape,
        bounding_boxes=tf.constant([[[0.0, 0.0, 1.0, 1.0]]]),
        seed=seed,
        min_object_covered=0.1,
        aspect_ratio_range=(0.75, 1.33),
        area_range=(0.05, 1.0),
        max_attempts=100,
        use_image_if_no_bounding_boxes=True,
    )
    return begin, extent


def distort_color(image: Any, seeds: Any, fast: bool) -> Any:
    """Changes the colours at random, in a random one of slim's orders.

    Args:
        image: `(height, width, 3)`, float32 in [0, 1].
        seeds: `(4, 2)` integers.
        fast: Brightness and saturation only.

    Returns:
        The image; pixels may leave [0, 1].
    """
    import tensorflow as tf

    change = {
        "brightness": lambda x: tf.image.stateless_random_brightness(x, _BRIGHTNESS, seeds[0]),
        "saturation": lambda x: tf.image.stateless_random_saturation(x, *_RANGE, seeds[1]),
        "hue": lambda x: tf.image.stateless_random_hue(x, _HUE, seeds[2]),
        "contrast": lambda x: tf.image.stateless_random_contrast(x, *_RANGE, seeds[3]),
    }

    def in_order(names: tuple[str, ...]) -> Any:
        result = image
        for name in names:
            result = change[name](result)
        return result

    orders = _FAST_ORDERS if fast else _FULL_ORDERS
    # The sum of the seeds makes the choice independent of the amounts.
    chosen = tf.random.stateless_uniform(
        [], tf.reduce_sum(seeds, 0), maxval=len(orders), dtype=tf.int32
    )
    return tf.switch_case(chosen, [lambda names=names: in_order(names) for names in orders])


def _resize(image: Any, size: int) -> Any:
    """TF 1's bilinear resize, without half-pixel centres and antialiasing, as slim's."""
    import tensorflow as tf

    resized = tf.raw_ops.ResizeBilinear(
        images=image[tf.newaxis], size=[size, size], align_corners=False, half_pixel_centers=False
    )[0]
    resized.set_shape((size, size, 3))
    return resized
