"""Which part of an image is seen, its size and its orientation; boxes are moved along."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from nasnet_keras.settings import Fraction, Range, Settings

_UpToTen = Annotated[float, Range(0, 10, above=True)]
_Area = Annotated[float, Range(0, 1, above=True)]


@dataclass(frozen=True)
class DetectionAugmentation(Settings):
    """Random changes of training images, each drawn anew for each image.

    Attributes:
        flip: Probability of a horizontal flip.
        scale_range: Uniform random factor of the image's size on the canvas: what exceeds it is cut
            off at a random place, what is missing is padded.
        crop: Probability that a random part of the image takes its place.
        crop_area: Least and largest area of that part, as fractions of the image.
        crop_aspect: Least and largest ratio of width to height of that part, relative to the
            image's own, log-uniform.
        min_visible: An object of which less than this fraction is left is ignored in training, as
            crowds are.

    Raises:
        ValueError: A value is out of range.
    """

    _field_kind = "augmentation setting"

    flip: Fraction = 0.5
    scale_range: tuple[_UpToTen, _UpToTen] = (1.0, 1.0)
    crop: Fraction = 0.0
    crop_area: tuple[_Area, _Area] = (0.3, 1.0)
    crop_aspect: tuple[_UpToTen, _UpToTen] = (0.5, 2.0)
    min_visible: Fraction = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scale_range", "crop_area", "crop_aspect"):
            least, largest = getattr(self, name)
            if least > largest:
                raise ValueError(f"{name} is (least, largest), got {(least, largest)}")


NO_AUGMENTATION = DetectionAugmentation(flip=0.0)


class View(NamedTuple):
    """A window of an image and the size it gets; scalars, int32 but for the last.

    Attributes:
        top: First row of the window.
        left: First column of it.
        height: Rows of it.
        width: Columns of it.
        new_height: Rows after resizing.
        new_width: Columns after resizing.
        flipped: Whether left and right are exchanged; a bool.
    """

    top: Any
    left: Any
    height: Any
    width: Any
    new_height: Any
    new_width: Any
    flipped: Any


def whole_view(size: Any, canvas: tuple[int, int], keep_aspect: bool) -> View:
    """Returns the view of the whole image, resized to the canvas.

    Args:
        size: `(2,)`, int32: height and width of the image.
        canvas: Height and width of the result.
        keep_aspect: Resize both sides by the same factor, so that the image fits; the rest of the
            canvas is padding. Otherwise the image fills the canvas.
    """
    import tensorflow as tf

    new = _resized(size[0], size[1], canvas, keep_aspect)
    rows, columns = (tf.cast(tf.round(side), tf.int32) for side in new)
    return View(
        0, 0, size[0], size[1], tf.maximum(rows, 1), tf.maximum(columns, 1), tf.constant(False)
    )


def random_view(
    size: Any,
    boxes: Any,
    canvas: tuple[int, int],
    keep_aspect: bool,
    augmentation: DetectionAugmentation,
    seed: Any,
) -> View:
    """Draws a view that contains the centre of at least one object.

    Args:
        size: `(2,)`, int32: height and width of the image.
        boxes: `(boxes, 4)`, float32: the objects to keep in sight, in pixels.
        canvas: Height and width of the result.
        keep_aspect: As in `whole_view`.
        augmentation: What may happen.
        seed: Two integers; the same give the same view.
    """
    import tensorflow as tf

    def between(limits: Sequence[float], drawn: Any) -> Any:
        return limits[0] + (limits[1] - limits[0]) * drawn

    drawn: Any = tf.unstack(tf.random.stateless_uniform([10], seed))
    full_height, full_width = (tf.cast(side, tf.float32) for side in (size[0], size[1]))
    # The object to keep; the last row is the whole image, for one without boxes.
    count = tf.shape(boxes)[0]
    anywhere = tf.stack([0.0, 0.0, full_height, full_width])[tf.newaxis]
    chosen = tf.minimum(tf.cast(drawn[0] * tf.cast(count, tf.float32), tf.int32), count - 1)
    box = tf.concat([boxes, anywhere], 0)[tf.where(count > 0, chosen, 0)]
    center_y, center_x = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2

    # ---- The part of the image.
    area = between(augmentation.crop_area, drawn[1])
    aspect = tf.exp(between([math.log(ratio) for ratio in augmentation.crop_aspect], drawn[2]))
    fraction_y = tf.minimum(tf.sqrt(area / aspect), 1.0)
    fraction_x = tf.minimum(tf.sqrt(area * aspect), 1.0)
    crops = drawn[3] < augmentation.crop
    fraction_y, fraction_x = tf.where(crops, fraction_y, 1.0), tf.where(crops, fraction_x, 1.0)
    top, height = _part(0.0, full_height, fraction_y, center_y, drawn[4])
    left, width = _part(0.0, full_width, fraction_x, center_x, drawn[5])

    # ---- Its size; what exceeds the canvas is cut off.
    scale = between(augmentation.scale_range, drawn[6])
    new_height, new_width = (side * scale for side in _resized(height, width, canvas, keep_aspect))
    top, height = _part(top, height, tf.minimum(canvas[0] / new_height, 1.0), center_y, drawn[7])
    left, width = _part(left, width, tf.minimum(canvas[1] / new_width, 1.0), center_x, drawn[8])

    top, left, height, width = (tf.cast(x, tf.int32) for x in (top, left, height, width))
    rows, columns = (
        tf.clip_by_value(tf.cast(tf.round(side), tf.int32), 1, limit)
        for side, limit in ((new_height, canvas[0]), (new_width, canvas[1]))
    )
    return View(top, left, height, width, rows, columns, drawn[9] < augmentation.flip)


def _resized(height: Any, width: Any, canvas: tuple[int, int], keep_aspect: bool) -> Any:
    """Returns the size that fits the canvas, not rounded."""
    import tensorflow as tf

    if not keep_aspect:
        return tf.constant(canvas[0], tf.float32), tf.constant(canvas[1], tf.float32)
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    factor = tf.minimum(canvas[0] / height, canvas[1] / width)
    return height * factor, width * factor


def _part(start: Any, length: Any, fraction: Any, center: Any, drawn: Any) -> tuple[Any, Any]:
    """Draws the first pixel of a part of a side that contains a point, and its length."""
    import tensorflow as tf

    part = tf.clip_by_value(tf.round(length * fraction), 1.0, length)
    least = tf.clip_by_value(tf.math.ceil(center - part), start, start + length - part)
    most = tf.clip_by_value(tf.floor(center), least, start + length - part)
    # Uniform over the integers.
    offset = tf.minimum(tf.floor(drawn * (most - least + 1)), most - least)
    return least + offset, part


def view_image(window: Any, view: View, canvas: tuple[int, int]) -> Any:
    """Resizes what is seen, and pads it below and on the right.

    Args:
        window: `(view.height, view.width, 3)`, the cut-out part, 0 to 255.
        view: The view.
        canvas: Height and width of the result.

    Returns:
        `(*canvas, 3)`, float32 in [0, 255]; padding is 0. Bilinear, without antialiasing, as the
        original detector resizes.
    """
    import tensorflow as tf

    image = tf.image.resize(window, (view.new_height, view.new_width), method="bilinear")
    image = tf.cond(view.flipped, lambda: tf.reverse(image, [1]), lambda: image)
    missing = [[0, canvas[0] - view.new_height], [0, canvas[1] - view.new_width], [0, 0]]
    return tf.ensure_shape(tf.pad(image, missing), (*canvas, 3))


def view_boxes(boxes: Any, view: View) -> tuple[Any, Any]:
    """Returns where boxes are in the view.

    Args:
        boxes: `(boxes, 4)`, float32: top, left, bottom, right in pixels of the image.
        view: The view.

    Returns:
        The boxes in pixels of the view, cut off where it ends, `(boxes, 4)`; and the fraction of
        the area of each that is left, `(boxes,)`.
    """
    import tensorflow as tf

    def as_float(*values: Any) -> Any:
        return tf.stack([tf.cast(value, tf.float32) for value in values])

    limits = as_float(view.height, view.width, view.height, view.width)
    moved = boxes - as_float(view.top, view.left, view.top, view.left)
    cut = tf.clip_by_value(moved, 0.0, limits)
    visible = _area(cut) / _area(boxes)
    new_limits = as_float(view.new_height, view.new_width, view.new_height, view.new_width)
    scaled = cut * (new_limits / limits)
    top, left, bottom, right = tf.unstack(scaled, axis=1)
    mirrored = tf.stack([top, new_limits[1] - right, bottom, new_limits[1] - left], 1)
    return tf.where(view.flipped, mirrored, scaled), visible


def _area(boxes: Any) -> Any:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
