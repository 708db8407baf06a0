"""Batches of images with boxes, read from disk while a detector trains or is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nasnet_keras.data.image_reader import decode_crop
from nasnet_keras.data.streams.stream import BatchPlan, BatchStream, open_stream
from nasnet_keras.detection.data.augmentation import (
    NO_AUGMENTATION,
    DetectionAugmentation,
    random_view,
    view_boxes,
    view_image,
    whole_view,
)
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.settings import Count, check_value


@dataclass(frozen=True, eq=False)
class DetectionStream(BatchStream):
    """A stream of the dictionaries that `detection_batches` describes.

    Attributes:
        index: The images and boxes, of all hosts.
    """

    index: DetectionIndex


def detection_batches(
    index: DetectionIndex,
    image_size: tuple[int, int],
    batch_size: int,
    training: bool,
    keep_aspect: bool = False,
    augmentation: DetectionAugmentation = NO_AUGMENTATION,
    seed: int = 0,
    first_step: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> DetectionStream:
    """Reads, decodes, augments and batches images with their boxes.

    Each batch is a dictionary as `FasterRCNN` takes it; `(h, w)` is `image_size`, and n the largest
    number of boxes of any image of the split, so that all batches have one shape:

    - `images`: float32 `(batch, h, w, 3)` in [0, 255], padding 0;
    - `image_sizes`: int32 `(batch, 2)`, height and width of the image inside the padding;
    - `boxes`: float32 `(batch, n, 4)`, top, left, bottom, right in pixels of `images`;
    - `labels`: int32 `(batch, n)`, -1 where there is no box;
    - `crowd`: bool `(batch, n)`, boxes to ignore: crowds, and objects mostly cut off;
    - `image_ids`: int64 `(batch,)`;
    - in evaluation `scales`: float32 `(batch, 2)`; boxes divided by them (y, x, y, x) are in
      pixels of the image in its file, turned as its boxes are; and `original_sizes`: int32
      `(batch, 2)`, its size.

    Args:
        index: The images and boxes.
        image_size: Height and width of the batches.
        batch_size: Images a batch, of this host; see `BatchPlan` for this and what follows from it.
        training: Shuffle, augment, repeat, and skip the few that cannot be read.
        keep_aspect: Resize both sides by the same factor and pad; otherwise stretch.
        augmentation: Random changes; in training only.
        seed: Seed of order and changes.
        first_step: Batches to skip.
        shard: Index of this host, and number of hosts.

    Returns:
        The stream.

    Raises:
        ValueError: A value is out of range, or there are fewer images than a batch takes.
    """
    check_value("image_size", tuple[Count, Count], tuple(image_size))
    plan = BatchPlan(batch_size, training, seed, first_step, shard)
    slots = int(index.box_counts().max(initial=1))

    def padded(values: Any, filler: Any) -> Any:
        import tensorflow as tf

        missing = [[0, slots - tf.shape(values)[0]]] + [[0, 0]] * (values.shape.rank - 1)
        values = tf.pad(values, missing, constant_values=filler)
        return tf.ensure_shape(values, (slots, *values.shape[1:]))

    def make_reader(own: DetectionIndex, key: int) -> Callable[..., Any]:
        import tensorflow as tf

        read_one = own.reader()

        def read(position: Any, image: Any) -> dict[str, Any]:
            encoded, orientation, size, boxes, labels, crowd, image_id = read_one(image)
            if training:
                objects = tf.boolean_mask(boxes, tf.logical_not(crowd))
                seed = tf.stack([key, position])
                view = random_view(size, objects, image_size, keep_aspect, augmentation, seed)
            else:
                view = whole_view(size, image_size, keep_aspect)
            window = decode_crop(encoded, *view[:4], orientation)
            new_size = tf.stack([view.new_height, view.new_width])
            boxes, visible = view_boxes(boxes, view)
            if training:
                # A sliver of a cut box could not be predicted.
                thin = tf.reduce_min(boxes[:, 2:] - boxes[:, :2], axis=1) < 1
                little = (visible < augmentation.min_visible) | (thin & (visible < 1))
                kept = visible > 0
                crowd = tf.boolean_mask(crowd | little, kept)
                boxes, labels = tf.boolean_mask(boxes, kept), tf.boolean_mask(labels, kept)
            result = {
                "images": view_image(window, view, image_size),
                "image_sizes": new_size,
                "boxes": padded(boxes, 0.0),
                "labels": padded(labels, -1),
                "crowd": padded(crowd, filler=False),
                "image_ids": image_id,
            }
            if not training:
                result["scales"] = tf.cast(new_size, tf.float32) / tf.cast(size, tf.float32)
                result["original_sizes"] = size
            return result

        return read

    return DetectionStream(**vars(open_stream(index, plan, make_reader)), index=index)
