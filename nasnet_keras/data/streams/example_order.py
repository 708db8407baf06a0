"""The order in which a stream reads its examples."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nasnet_keras.data.sources.example_files import Examples, RecordFiles

_FILES_AT_ONCE = 16


def training_order(examples: Examples, key: int, per_epoch: int, first: int, buffer: int) -> Any:
    """Reads epoch after epoch, each in its own order, by key and epoch.

    Args:
        examples: The examples.
        key: Seed of the order.
        per_epoch: Examples of an epoch; the rest is left out.
        first: Examples to skip. Epochs cost nothing; within one, records are read and skipped,
            other examples are not opened.
        buffer: Records to shuffle among, drawn from several files at a time. Other examples are
            all shuffled.

    Returns:
        The endless `tf.data.Dataset` of `(position, index)`: the place in the run, and the
        example's index; of record files of `(position, index, record)`.
    """
    import tensorflow as tf

    def epoch(index: Any, skip: int = 0) -> Any:
        if isinstance(examples, RecordFiles):
            shuffled = _shuffled_records(examples, key, index, buffer).skip(skip)
        else:
            order = _permutation(len(examples), key, index)[skip:]
            shuffled = tf.data.Dataset.from_tensor_slices((order,))
        start = index * per_epoch + skip
        shuffled = shuffled.take(per_epoch - skip).enumerate()
        return shuffled.map(lambda place, element: (start + place, *element))

    index, done = divmod(first, per_epoch)
    later = tf.data.Dataset.range(index + 1, tf.int64.max).flat_map(epoch)
    return epoch(tf.constant(index, tf.int64), done).concatenate(later)


def evaluation_order(examples: Examples, first: int) -> Any:
    """Reads each example once, in order.

    Args:
        examples: The examples.
        first: Examples to skip.

    Returns:
        The `tf.data.Dataset` that `training_order` describes.
    """
    import tensorflow as tf

    if isinstance(examples, RecordFiles):
        ordered = tf.data.Dataset.range(len(examples.files)).flat_map(_record_reader(examples))
    else:
        ordered = tf.data.Dataset.range(len(examples)).map(lambda index: (index,))
    return ordered.enumerate().skip(first).map(lambda place, element: (place, *element))


def _shuffled_records(examples: RecordFiles, key: int, epoch: Any, buffer: int) -> Any:
    import tensorflow as tf

    files = tf.data.Dataset.from_tensor_slices(_permutation(len(examples.files), key, epoch))
    records = files.interleave(
        _record_reader(examples),
        cycle_length=min(_FILES_AT_ONCE, len(examples.files)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    # Dataset.shuffle depends on TensorFlow's global seed, too.
    blocks = records.batch(min(buffer, len(examples))).enumerate().prefetch(1)

    def shuffled(*indexed_block: Any) -> Any:
        index, block = indexed_block
        seed: Any = tf.random.fold_in(tf.stack([key, epoch]), index)
        values = tf.random.stateless_uniform(tf.shape(block[0]), seed, dtype=tf.float32)
        order = tf.argsort(values, stable=True)
        return tf.data.Dataset.from_tensor_slices(tuple(tf.gather(part, order) for part in block))

    return blocks.flat_map(shuffled)


def _permutation(length: int, key: int, epoch: Any) -> Any:
    import tensorflow as tf

    values = tf.random.stateless_uniform(
        [length], tf.stack([key, epoch]), maxval=2**62, dtype=tf.int64
    )
    return tf.cast(tf.argsort(values, stable=True), tf.int64)


def _record_reader(examples: RecordFiles) -> Any:
    """Returns the function from the index of a file to its examples, as many as there should be.

    What follows damage in a file is lost; empty records, unreadable later, take its place, so that
    all later examples keep their positions.
    """
    import tensorflow as tf

    paths = tf.constant([os.fspath(file.path) for file in examples.files])
    first = tf.constant([file.first for file in examples.files], tf.int64)
    counts = [file.count for file in examples.files]
    count = tf.constant(counts, tf.int64)
    before = tf.constant(np.cumsum([0, *counts[:-1]]), tf.int64)

    def read(file: Any) -> Any:
        records = tf.data.TFRecordDataset(paths[file]).ignore_errors(log_warning=False)
        records = records.concatenate(tf.data.Dataset.from_tensors("").repeat())
        records = records.skip(first[file]).take(count[file]).enumerate()
        return records.map(lambda place, record: (before[file] + place, record))

    return read
