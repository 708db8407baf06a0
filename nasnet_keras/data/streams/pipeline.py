"""Batches of a dataset that is read from disk while a network trains."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.data.sources.example_files import ExampleFiles, ImageFiles
from nasnet_keras.data.sources.labels_offset import offset_class_names
from nasnet_keras.data.sources.registry import find_examples
from nasnet_keras.data.stream_preprocessing import StreamPreprocessing, get_stream_preprocessing
from nasnet_keras.data.streams.batches import batches_per_epoch
from nasnet_keras.data.streams.example_order import evaluation_order, training_order
from nasnet_keras.data.streams.prefetching import prefetched
from nasnet_keras.data.streams.stream_problems import StreamProblems

_EXAMPLES_AT_ONCE = 16
# Encoded examples, held twice: 0.5 GB of ImageNet. What TFDS and slim write is already shuffled.
_SHUFFLE_BUFFER = 2048


@dataclass(frozen=True, eq=False)
class BatchStream:
    """A stream of batches; iterate over it for arrays, or hand `batches` to Keras.

    Attributes:
        batches: A `tf.data.Dataset` of `(images, labels)`, float32 `(batch, size, size, 3)` and
            int32 `(batch,)`. In training it never ends.
        num_examples: Examples of the split, over all hosts.
        steps_per_epoch: Batches of an epoch, of this host.
        class_names: Names of the classes, after `labels_offset`.
        problems: The examples skipped, and the line that says what ended the stream.
    """

    batches: Any
    num_examples: int
    steps_per_epoch: int
    class_names: tuple[str, ...]
    problems: StreamProblems

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the batches as arrays.

        Raises:
            ValueError: An example cannot be read or its label is out of range.
        """
        import tensorflow as tf

        try:
            yield from self.batches.as_numpy_iterator()
        except tf.errors.OpError as error:
            raise self.problems.error or error from error


def image_batches(
    dataset_name: str,
    split: str,
    dataset_dir: str | os.PathLike[str] | None,
    preprocessing_name: str,
    image_size: int,
    batch_size: int,
    training: bool,
    seed: int = 0,
    first_step: int = 0,
    labels_offset: int = 0,
    shard: tuple[int, int] = (0, 1),
    shuffle_buffer: int = _SHUFFLE_BUFFER,
    download: bool = False,
) -> BatchStream:
    """Reads, decodes, preprocesses and batches a split.

    In training, each epoch has whole batches in a new order; the order and every random change
    follow from seed, host and position alone, so that a run resumed at any step sees what an
    uninterrupted one would. In evaluation each example comes once, in the order of the files, and
    the last batch may be smaller.

    Args:
        dataset_name: A dataset that is read from disk; see `find_examples`.
        split: A split or a part of one, e.g. `"train"`, `"train[:90%]"`.
        dataset_dir: Where it is.
        preprocessing_name: A name of `STREAM_PREPROCESSINGS`.
        image_size: Side of the images, in pixels.
        batch_size: Images a batch, of this host.
        training: Shuffle, change at random, repeat, and skip what cannot be read.
        seed: Seed of order and changes.
        first_step: Batches to pass over. Whole epochs cost nothing; within an epoch, records are
            read and not decoded, files of a folder are not even read.
        labels_offset: Subtracted from the labels, as slim's flag: 1 leaves out ImageNet's
            background class, -1 adds it to labels that have none.
        shard: Number of this host, and number of hosts; each reads a part of its own.
        shuffle_buffer: Encoded examples of record files to shuffle among, held in memory twice.
        download: Prepare the dataset with TensorFlow Datasets where it is missing.

    Returns:
        The stream.

    Raises:
        FileNotFoundError: The dataset or one of its files is missing.
        ValueError: A name or number is wrong, or there are fewer examples than a batch takes.
    """
    # ---- What can be refused, before any work.
    preprocessing = get_stream_preprocessing(preprocessing_name)
    index, hosts = shard
    if not 0 <= index < hosts:
        raise ValueError(f"shard is (number of the host, hosts), got {shard}")
    for name, value, least in (
        ("image_size", image_size, 1),
        ("batch_size", batch_size, 1),
        ("first_step", first_step, 0),
        ("shuffle_buffer", shuffle_buffer, 1),
    ):
        if value < least:
            raise ValueError(f"{name} is at least {least}, got {value}")
    whole = find_examples(dataset_name, split, dataset_dir, download)
    class_names = offset_class_names(whole.class_names, labels_offset)
    files = whole.share(index, hosts)
    if training:
        # The same on each host: all of them take part in each step.
        steps = batches_per_epoch(len(whole) // hosts, batch_size)
    else:
        steps = -(-len(files) // batch_size)

    # ---- The stream.
    problems = StreamProblems(files, training, labels_offset, len(class_names))
    # Hosts with one seed must not make the same random changes.
    key = int(np.random.SeedSequence([seed, index]).generate_state(1)[0] >> 1)
    if training:
        examples = training_order(
            files, key, steps * batch_size, first_step * batch_size, shuffle_buffer
        )
    else:
        examples = evaluation_order(files, first_step * batch_size)
    examples = _processed(examples, files, preprocessing, image_size, training, key)
    batches = _checked(examples.batch(batch_size, drop_remainder=training), problems, labels_offset)
    return BatchStream(batches, len(whole), steps, class_names, problems)


def _processed(
    examples: Any,
    files: ExampleFiles,
    preprocessing: StreamPreprocessing,
    size: int,
    training: bool,
    key: int,
) -> Any:
    """Returns the dataset of `(image, label, whether it could be read, file, record)`."""
    import tensorflow as tf

    labels = tf.constant(files.labels if isinstance(files, ImageFiles) else [], tf.int64)

    def encoded_and_label(payload: Any, record: Any) -> tuple[Any, Any]:
        if isinstance(files, ImageFiles):
            return tf.io.read_file(payload), labels[record]
        example = tf.io.parse_single_example(
            payload,
            {
                files.image_key: tf.io.FixedLenFeature([], tf.string),
                files.label_key: tf.io.FixedLenFeature([], tf.int64),
            },
        )
        return example[files.image_key], example[files.label_key]

    def process(payload: Any, file: Any, record: Any, position: Any) -> Any:
        encoded, label = encoded_and_label(payload, record)
        if training:
            image = preprocessing.train(encoded, size, tf.stack([key, position]))
        else:
            image = preprocessing.evaluate(encoded, size)
        return tf.ensure_shape(image, (size, size, 3)), label, True, file, record

    def process_or_mark(payload: Any, file: Any, record: Any, position: Any) -> Any:
        # tf.data can drop what fails, but not say which it was: hence a dataset of one example,
        # followed by its stand-in.
        element = tf.data.Dataset.from_tensors((payload, file, record, position))
        unreadable = (tf.zeros((size, size, 3)), tf.constant(0, tf.int64), False, file, record)
        processed = element.map(process).ignore_errors(log_warning=False)
        return processed.concatenate(tf.data.Dataset.from_tensors(unreadable)).take(1)

    return examples.interleave(
        process_or_mark,
        cycle_length=_EXAMPLES_AT_ONCE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _checked(batches: Any, problems: StreamProblems, labels_offset: int) -> Any:
    """Returns the dataset of `(images, labels)`, without what cannot be used."""
    import tensorflow as tf

    def check(images: Any, labels: Any, readable: Any, files: Any, records: Any) -> Any:
        labels -= labels_offset

        def mended() -> Any:
            arguments = [readable, labels, files, records]
            rows = tf.numpy_function(problems.rows, arguments, tf.int64, stateful=True)
            rows = tf.ensure_shape(rows, labels.shape)
            return tf.gather(images, rows), tf.gather(labels, rows)

        # Python is asked only where something is wrong.
        fine = tf.reduce_all(readable & (labels >= 0) & (labels < problems.classes))
        images, labels = tf.cond(fine, lambda: (images, labels), mended)
        return images, tf.cast(labels, tf.int32)

    return prefetched(batches.map(check))
