"""In which order a stream reads its examples, before anything is decoded."""

from __future__ import annotations

import os
from typing import Any

from nasnet_keras.data.sources.example_files import ExampleFiles, ImageFiles, RecordFiles

_FILES_AT_ONCE = 16


def training_order(files: ExampleFiles, key: int, per_epoch: int, first: int, buffer: int) -> Any:
    """Reads epoch after epoch, each in an order of its own that follows from key and epoch.

    Args:
        files: Where the examples are.
        key: Seed of the order.
        per_epoch: Examples of an epoch; the rest sits out.
        first: Examples to pass over. Whole epochs cost nothing; within one, records are read and
            passed over, image files are not even opened.
        buffer: Records to shuffle among, drawn from several files at a time. Image files are
            shuffled as a whole.

    Returns:
        The endless `tf.data.Dataset` of `(payload, file, record, position)`: a record or a path,
        what `describe` of the files takes, and the number of the example in the whole run.
    """
    import tensorflow as tf

    def epoch(number: Any, skip: int = 0) -> Any:
        if isinstance(files, ImageFiles):
            examples = _shuffled_images(files, key, number, skip)
        else:
            examples = _shuffled_records(files, key, number, buffer).skip(skip)
        examples = examples.take(per_epoch - skip).enumerate()
        start = number * per_epoch + skip
        return examples.map(lambda place, element: (*element, start + place))

    number, done = divmod(first, per_epoch)
    later = tf.data.Dataset.range(number + 1, tf.int64.max).flat_map(epoch)
    return epoch(tf.constant(number, tf.int64), done).concatenate(later)


def _shuffled_images(files: ImageFiles, key: int, epoch: Any, skip: int) -> Any:
    import tensorflow as tf

    order = _permutation(len(files), key, epoch)[skip:]
    return tf.data.Dataset.from_tensor_slices(order).map(_image_reader(files))


def _shuffled_records(files: RecordFiles, key: int, epoch: Any, buffer: int) -> Any:
    import tensorflow as tf

    order = tf.data.Dataset.from_tensor_slices(_permutation(len(files.files), key, epoch))
    records = order.interleave(
        _record_reader(files),
        cycle_length=min(_FILES_AT_ONCE, len(files.files)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    # Dataset.shuffle would make the order depend on TensorFlow's global seed as well, which a
    # resumed run need not set at the same point.
    blocks = records.batch(min(buffer, len(files))).enumerate().prefetch(1)

    def shuffled(*numbered_block: Any) -> Any:
        number, block = numbered_block
        seed: Any = tf.random.fold_in(tf.stack([key, epoch]), number)
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


def evaluation_order(files: ExampleFiles, first: int) -> Any:
    """Reads each example once, in the order of the files.

    Args:
        files: Where the examples are.
        first: Examples to pass over.

    Returns:
        The `tf.data.Dataset` of `(payload, file, record, position)`, as `training_order`.
    """
    import tensorflow as tf

    if isinstance(files, RecordFiles):
        examples = tf.data.Dataset.range(len(files.files)).flat_map(_record_reader(files))
    else:
        examples = tf.data.Dataset.range(len(files)).map(_image_reader(files))
    return examples.enumerate().skip(first).map(lambda place, element: (*element, place))


def _image_reader(files: ImageFiles) -> Any:
    import tensorflow as tf

    paths = tf.constant([os.fspath(path) for path in files.paths])
    return lambda number: (paths[number], tf.constant(0, tf.int64), number)


def _record_reader(files: RecordFiles) -> Any:
    """Returns the function from the number of a file to its records, as many as there should be.

    Where a file is damaged, what follows in it is lost; empty records take its place, so that all
    that comes later keeps its position, and are found to be unreadable later.
    """
    import tensorflow as tf

    paths = tf.constant([os.fspath(file.path) for file in files.files])
    first = tf.constant([file.first for file in files.files], tf.int64)
    count = tf.constant([file.count for file in files.files], tf.int64)

    def read(number: Any) -> Any:
        records = tf.data.TFRecordDataset(paths[number]).ignore_errors(log_warning=False)
        records = records.concatenate(tf.data.Dataset.from_tensors("").repeat())
        records = records.skip(first[number]).take(count[number]).enumerate()
        return records.map(lambda place, record: (record, number, place))

    return read
