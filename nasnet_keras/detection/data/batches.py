"""Batches of images with boxes, read from disk while a detector trains or is scored."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.data.decoding import decode_crop
from nasnet_keras.data.sources.example_files import ImageFiles
from nasnet_keras.data.streams.batches import batches_per_epoch
from nasnet_keras.data.streams.example_order import evaluation_order, training_order
from nasnet_keras.data.streams.prefetching import prefetched
from nasnet_keras.data.streams.stream_problems import StreamProblems
from nasnet_keras.detection.data.augmentation import (
    NO_AUGMENTATION,
    DetectionAugmentation,
    random_view,
    view_boxes,
    view_image,
    whole_view,
)
from nasnet_keras.detection.data.detection_index import DetectionIndex

_EXAMPLES_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class DetectionStream:
    """A stream of batches; iterate over it for arrays, or hand `batches` to Keras.

    Attributes:
        batches: A `tf.data.Dataset` of the dictionaries that `detection_batches` describes. In
            training it never ends.
        index: The images and boxes, of all hosts.
        steps_per_epoch: Batches of an epoch, of this host.
        problems: The images skipped, and the line that says what ended the stream.
    """

    batches: Any
    index: DetectionIndex
    steps_per_epoch: int
    problems: StreamProblems

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """Yields the batches as arrays.

        Raises:
            ValueError: An image cannot be read.
        """
        import tensorflow as tf

        try:
            yield from self.batches.as_numpy_iterator()
        except tf.errors.OpError as error:
            raise self.problems.error or error from error


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
    """Reads, decodes, changes at random and batches images with their boxes.

    Each batch is a dictionary; `(h, w)` is `image_size`, and n the largest number of boxes of any
    image of the split, so that all batches have one shape:

    - `images`: float32 `(batch, h, w, 3)` in [-1, 1], padding 0;
    - `image_sizes`: int32 `(batch, 2)`, height and width of the image inside the padding;
    - `boxes`: float32 `(batch, n, 4)`, top, left, bottom, right in pixels of `images`;
    - `labels`: int32 `(batch, n)`, -1 where there is no box;
    - `crowd`: bool `(batch, n)`, boxes to ignore: crowds, and what a crop left too little of;
    - `image_ids`: int64 `(batch,)`;
    - in evaluation `scales`: float32 `(batch, 2)`; boxes divided by them (y, x, y, x) are in
      pixels of the image as stored; and `original_sizes`: int32 `(batch, 2)`, its size.

    In training, each epoch has whole batches in a new order; the order and every random change
    follow from seed, host and position alone, so that a run resumed at any step sees what an
    uninterrupted one would. In evaluation each image comes once, in the order of the index, and
    the last batch may be smaller.

    Args:
        index: The images and boxes.
        image_size: Height and width of the batches.
        batch_size: Images a batch, of this host.
        training: Shuffle, change at random, repeat, and skip the few that cannot be read.
        keep_aspect: Resize both sides by the same factor and pad; otherwise stretch.
        augmentation: Random changes; in training only.
        seed: Seed of order and changes.
        first_step: Batches to pass over, at no cost.
        shard: Number of this host, and number of hosts; each reads a part of its own.

    Returns:
        The stream.

    Raises:
        ValueError: A number is wrong, or there are fewer images than a batch takes.
    """
    # ---- What can be refused, before any work.
    host, hosts = shard
    if not 0 <= host < hosts:
        raise ValueError(f"shard is (number of the host, hosts), got {shard}")
    for name, value, least in (
        ("image_size", min(image_size), 1),
        ("batch_size", batch_size, 1),
        ("first_step", first_step, 0),
    ):
        if value < least:
            raise ValueError(f"{name} is at least {least}, got {value}")
    if not len(index):
        raise ValueError(f"dataset {index.name}: {index.split} has no image")
    own = index.share(host, hosts) if hosts > 1 else index
    if training:
        # The same on each host: all of them take part in each step.
        steps = batches_per_epoch(len(index) // hosts, batch_size)
    else:
        steps = -(-len(own) // batch_size)

    # ---- The stream.
    files = ImageFiles(index.name, index.split, index.class_names, own.paths, ())
    # Hosts with one seed must not make the same random changes.
    key = int(np.random.SeedSequence([seed, host]).generate_state(1)[0] >> 1)
    first = first_step * batch_size
    if training:
        order = training_order(files, key, steps * batch_size, first, buffer=1)
    else:
        order = evaluation_order(files, first)
    slots = max(int(index.box_counts().max()), 1)
    read = _Reader(own, image_size, keep_aspect, augmentation if training else None, key, slots)
    examples = _read_or_marked(order, read)
    problems = StreamProblems(own, training, 0, classes=1)
    batches = _mended(examples.batch(batch_size, drop_remainder=training), problems)
    return DetectionStream(batches, index, steps, problems)


class _Reader:
    """Makes the tensors of one image; called inside tf.data."""

    def __init__(
        self,
        index: DetectionIndex,
        canvas: tuple[int, int],
        keep_aspect: bool,
        augmentation: DetectionAugmentation | None,
        key: int,
        slots: int,
    ) -> None:
        import tensorflow as tf

        self.index, self.canvas, self.keep_aspect = index, canvas, keep_aspect
        self.augmentation, self.key, self.slots = augmentation, key, slots
        self.sizes, self.spans = tf.constant(index.sizes), tf.constant(index.spans)
        self.ids, self.first = tf.constant(index.image_ids), tf.constant(index.first_box)
        self.boxes, self.labels = tf.constant(index.boxes), tf.constant(index.labels)
        self.crowd = tf.constant(index.crowd)
        # What is a file of its own is read by TensorFlow, without Python in the way.
        self.whole_files = bool((index.spans[:, 1] < 0).all())

    def __call__(self, path: Any, image: Any, position: Any) -> dict[str, Any]:
        import tensorflow as tf

        size = self.sizes[image]
        rows = slice(self.first[image], self.first[image + 1])
        boxes, labels, crowd = self.boxes[rows], self.labels[rows], self.crowd[rows]
        if self.augmentation is None:
            view = whole_view(size, self.canvas, self.keep_aspect)
        else:
            objects = tf.boolean_mask(boxes, tf.logical_not(crowd))
            seed = tf.stack([self.key, position])
            view = random_view(
                size, objects, self.canvas, self.keep_aspect, self.augmentation, seed
            )
        window = decode_crop(self._encoded(path, image), *view[:4])
        new_size = tf.stack([view.new_height, view.new_width])
        boxes, visible = view_boxes(boxes, view)
        if self.augmentation is not None:
            # What is left of a cut box may be a sliver that nothing could be made to fit.
            thin = tf.reduce_min(boxes[:, 2:] - boxes[:, :2], axis=1) < 1
            little = (visible < self.augmentation.min_visible) | (thin & (visible < 1))
            kept = visible > 0
            crowd = tf.boolean_mask(crowd | little, kept)
            boxes, labels = tf.boolean_mask(boxes, kept), tf.boolean_mask(labels, kept)
        result = {
            "images": view_image(window, view, self.canvas),
            "image_sizes": new_size,
            "boxes": self._padded(boxes, 0.0),
            "labels": self._padded(labels, -1),
            "crowd": self._padded(crowd, False),
            "image_ids": self.ids[image],
        }
        if self.augmentation is None:
            result["scales"] = tf.cast(new_size, tf.float32) / tf.cast(size, tf.float32)
            result["original_sizes"] = size
        return result

    def empty(self, image: Any) -> dict[str, Any]:
        """Returns the stand-in for an image that cannot be read."""
        import tensorflow as tf

        result = {
            "images": tf.zeros((*self.canvas, 3)),
            "image_sizes": tf.zeros(2, tf.int32),
            "boxes": tf.zeros((self.slots, 4)),
            "labels": tf.fill([self.slots], -1),
            "crowd": tf.zeros(self.slots, tf.bool),
            "image_ids": self.ids[image],
        }
        if self.augmentation is None:
            result |= {"scales": tf.ones(2), "original_sizes": self.sizes[image]}
        return result

    def _padded(self, values: Any, filler: Any) -> Any:
        import tensorflow as tf

        missing = [[0, self.slots - tf.shape(values)[0]]] + [[0, 0]] * (values.shape.rank - 1)
        padded = tf.pad(values, missing, constant_values=filler)
        return tf.ensure_shape(padded, (self.slots, *values.shape[1:]))

    def _encoded(self, path: Any, image: Any) -> Any:
        import tensorflow as tf

        if self.whole_files:
            return tf.io.read_file(path)
        span = self.spans[image]
        encoded = tf.numpy_function(_read_span, [path, span], tf.string, stateful=False)
        return tf.ensure_shape(encoded, ())


def _read_span(path: bytes, span: np.ndarray) -> bytes:
    with Path(os.fsdecode(path)).open("rb") as file:
        file.seek(int(span[0]))
        return file.read(int(span[1]))


def _read_or_marked(order: Any, read: _Reader) -> Any:
    """Returns the dataset of `(example, whether it could be read, number of the image)`."""
    import tensorflow as tf

    def one(path: Any, _: Any, image: Any, position: Any) -> Any:
        # tf.data can drop what fails, but not say which it was: hence a dataset of one image,
        # followed by its stand-in.
        element = tf.data.Dataset.from_tensors((path, image, position))
        good = element.map(lambda *values: (read(*values), True, image))
        stand_in = tf.data.Dataset.from_tensors((read.empty(image), False, image))
        return good.ignore_errors(log_warning=False).concatenate(stand_in).take(1)

    return order.interleave(
        one,
        cycle_length=_EXAMPLES_AT_ONCE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _mended(batches: Any, problems: StreamProblems) -> Any:
    """Returns the dataset of the batches, without what cannot be used."""
    import tensorflow as tf

    def mend(examples: dict[str, Any], readable: Any, images: Any) -> dict[str, Any]:
        def mended() -> dict[str, Any]:
            nothing = tf.zeros_like(images)
            arguments = [readable, nothing, nothing, images]
            rows = tf.numpy_function(problems.rows, arguments, tf.int64, stateful=True)
            rows = tf.ensure_shape(rows, images.shape)
            return {name: tf.gather(values, rows) for name, values in examples.items()}

        # Python is asked only where something is wrong.
        return tf.cond(tf.reduce_all(readable), lambda: examples, mended)

    return prefetched(batches.map(mend))
