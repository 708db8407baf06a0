"""Batches of labelled images that are read from disk while a network trains."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from nasnet_keras.data.check.unreadable import drop_unreadable
from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.image_reader import decode_image, orientation_tensor
from nasnet_keras.data.numpy_training import evaluation_picture, training_picture
from nasnet_keras.data.sources.example_files import Examples
from nasnet_keras.data.sources.labels_offset import offset_class_names
from nasnet_keras.data.sources.registry import find_examples
from nasnet_keras.data.stream_preprocessing import get_stream_preprocessing
from nasnet_keras.data.streams.python_stream import Place, open_python_stream
from nasnet_keras.data.streams.stream import BatchPlan, BatchStream, open_stream
from nasnet_keras.settings import Count, check_value

# Encoded examples, held twice: 0.5 GB of ImageNet. What TFDS and slim write is already shuffled.
_SHUFFLE_BUFFER = 2048

ReadBy = Literal["tensorflow", "python"]
"""What reads the images of a stream: tf.data, or threads of Python. Order and changes differ."""


def reader_here(wanted: ReadBy | None = None) -> ReadBy:
    """Returns what reads images: what is wanted, else TensorFlow where it is installed.

    Raises:
        ValueError: It is wanted and not installed.
    """
    is_there = importlib.util.find_spec("tensorflow") is not None
    if wanted == "tensorflow" and not is_there:
        raise ValueError(
            "TensorFlow, which reads the images and decides their order, is not installed here"
        )
    return wanted or ("tensorflow" if is_there else "python")


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
    exif_orientation: bool = True,
    drop_invalid: bool = False,
    allow_empty_classes: bool = False,
    read_by: ReadBy | None = None,
) -> BatchStream:
    """Reads, decodes, preprocesses and batches a split.

    Args:
        dataset_name: A dataset that is read from disk; see `find_examples`.
        split: A split or a part of one, e.g. `"train"`, `"train[:90%]"`.
        dataset_dir: Where it is.
        preprocessing_name: A name of `STREAM_PREPROCESSINGS`.
        image_size: Side of the images, in pixels.
        batch_size: Images a batch, of this host; see `BatchPlan` for this and what follows from it.
        training: Shuffle, augment, repeat, and skip the few records that cannot be read.
        seed: Seed of order and changes.
        first_step: Batches to skip.
        labels_offset: Subtracted from the labels, as slim's flag: 1 leaves out ImageNet's
            background class, -1 adds it to labels that have none.
        shard: Index of this host, and number of hosts.
        shuffle_buffer: Encoded examples of record files to shuffle among.
        download: Prepare the dataset with TensorFlow Datasets where it is missing.
        exif_orientation: Turn images in files of their own upright, as their EXIF orientation
            says; those in record files are as stored.
        drop_invalid: Decode all files of a folder of images first, and leave out what cannot be.
        allow_empty_classes: Whether a class of such a folder may have no image in the split.
        read_by: What reads them; `None` for TensorFlow where it is installed.

    Returns:
        The stream; its batches are `(images, labels)`, float32 `(batch, size, size, 3)` and int32
        `(batch,)`, its class names those after `labels_offset`.

    Raises:
        FileNotFoundError: The dataset or one of its files is missing.
        ValueError: A name is unknown, a value is out of range, there are fewer examples than a
            batch has, or what is to read them is not installed.
    """
    examples = find_examples(dataset_name, split, dataset_dir, download, allow_empty_classes)
    return example_batches(
        drop_unreadable(examples) if drop_invalid else examples,
        *(preprocessing_name, image_size, batch_size, training, seed, first_step),
        *(labels_offset, shard, shuffle_buffer, exif_orientation, read_by),
    )


def example_batches(
    examples: Examples,
    preprocessing_name: str,
    image_size: int,
    batch_size: int,
    training: bool,
    seed: int = 0,
    first_step: int = 0,
    labels_offset: int = 0,
    shard: tuple[int, int] = (0, 1),
    shuffle_buffer: int = _SHUFFLE_BUFFER,
    exif_orientation: bool = True,
    read_by: ReadBy | None = None,
) -> BatchStream:
    """Does as `image_batches`, with examples that are found already.

    Args:
        examples: The examples, of all hosts.
        preprocessing_name: See `image_batches` for this and what follows.
        image_size: Side of the images, in pixels.
        batch_size: Images a batch, of this host.
        training: Shuffle, augment, repeat.
        seed: Seed of order and changes.
        first_step: Batches to skip.
        labels_offset: Subtracted from the labels.
        shard: Index of this host, and number of hosts.
        shuffle_buffer: Encoded examples of record files to shuffle among.
        exif_orientation: Turn images in files of their own upright.
        read_by: What reads them; `None` for TensorFlow where it is installed.

    Raises:
        ValueError: A name is unknown, a value is out of range, or there are fewer examples than a
            batch has.
    """
    get_stream_preprocessing(preprocessing_name)
    plan = BatchPlan(batch_size, training, seed, first_step, shard, shuffle_buffer)
    check_value("image_size", Count, image_size)
    class_names = offset_class_names(examples.class_names, labels_offset)
    labelled = replace(examples, class_names=class_names)
    open_batches = _by_python if reader_here(read_by) == "python" else _by_tensorflow
    return open_batches(
        *(labelled, plan, preprocessing_name, image_size, labels_offset, exif_orientation)
    )


def _by_tensorflow(
    examples: Examples,
    plan: BatchPlan,
    preprocessing_name: str,
    image_size: int,
    labels_offset: int,
    exif_orientation: bool,
) -> BatchStream:
    preprocessing = get_stream_preprocessing(preprocessing_name)
    classes = len(examples.class_names)

    def make_reader(own: Examples, key: int) -> Callable[..., Any]:
        import tensorflow as tf

        read_one = own.reader()

        def read(position: Any, *place: Any) -> tuple[Any, Any]:
            encoded, label = read_one(*place)
            turns = exif_orientation and own.has_exif
            orientation = orientation_tensor(encoded) if turns else UPRIGHT
            if plan.training:
                seeds = tf.stack([key, position])
                image = preprocessing.train(encoded, image_size, seeds, orientation)
            else:
                image = preprocessing.evaluate(encoded, image_size, orientation)
            return tf.ensure_shape(image, (image_size, image_size, 3)), label - labels_offset

        return read

    def wrong(batch: tuple[Any, Any]) -> Any:
        import tensorflow as tf

        labels = batch[1]
        limits = _limits(labels_offset, classes)
        text = tf.strings.join(["has label ", tf.strings.as_string(labels), limits])
        return tf.where((labels >= 0) & (labels < classes), "", text)

    def with_short_labels(images: Any, labels: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        return images, tf.cast(labels, tf.int32)

    stream = open_stream(examples, plan, make_reader, wrong)
    return replace(stream, batches=stream.batches.map(with_short_labels))


def _by_python(
    examples: Examples,
    plan: BatchPlan,
    preprocessing_name: str,
    image_size: int,
    labels_offset: int,
    exif_orientation: bool,
) -> BatchStream:
    classes = len(examples.class_names)

    def make_reader(own: Examples, key: int) -> Callable[[Place], tuple[np.ndarray, int]]:
        load = own.loader()

        def read(place: Place) -> tuple[np.ndarray, int]:
            position, index = place
            encoded, label = load(index)
            pixels = decode_image(encoded, upright=exif_orientation and own.has_exif)
            if plan.training:
                seeds = [key, position]
                image = training_picture(pixels, preprocessing_name, image_size, seeds)
            else:
                image = evaluation_picture(pixels, preprocessing_name, image_size)
            return image, label - labels_offset

        return read

    def wrong(labels: np.ndarray) -> np.ndarray:
        limits = _limits(labels_offset, classes)
        texts = [
            "" if 0 <= label < classes else f"has label {label}{limits}"
            for label in labels.tolist()
        ]
        return np.array([text.encode() for text in texts])

    return open_python_stream(examples, plan, make_reader, wrong, (image_size, image_size, 3))


def _limits(labels_offset: int, classes: int) -> str:
    offset = f" after labels_offset={labels_offset}" if labels_offset else ""
    return f"{offset}, but there are {classes} classes"
