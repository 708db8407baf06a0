"""Batches as the detector takes them: pixels, of a training configuration's size and changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.batches import DetectionStream, detection_batches
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.modeling.batch import BOXES, CROWD, IMAGES, LABELS, SIZES

_TRAINED_ON = (IMAGES, SIZES, BOXES, LABELS, CROWD)


def training_stream(
    config: TrainingConfig,
    index: DetectionIndex,
    first_batch: int = 0,
    shard: tuple[int, int] = (0, 1),
    batch_size: int | None = None,
) -> DetectionStream:
    """Returns what a detector is trained on, see `detection_batches`.

    Args:
        config: The training.
        index: Images and boxes to train on.
        first_batch: Batches to pass over, at no cost.
        shard: Number of this worker, and number of workers.
        batch_size: Images a batch. Default: the configuration's.

    Returns:
        The stream; its batches are what `FasterRCNN` takes, without the ids of the images.
    """
    stream = _stream(config, index, batch_size or config.batch_size, True, first_batch, shard)

    def inputs(batch: dict[str, Any]) -> dict[str, Any]:
        return {name: as_pixels(batch)[name] for name in _TRAINED_ON}

    return dataclasses.replace(stream, batches=stream.batches.map(inputs))


def evaluation_stream(
    config: TrainingConfig, index: DetectionIndex, batch_size: int | None = None
) -> DetectionStream:
    """Returns the images to score, each once; batches as `FasterRCNN` takes them, and more.

    Args:
        config: The training.
        index: The images.
        batch_size: Images a batch. Default: the configuration's.
    """
    stream = _stream(config, index, batch_size or config.batch_size, False)
    return dataclasses.replace(stream, batches=stream.batches.map(as_pixels))


def image_ids_of_step(
    config: TrainingConfig,
    index: DetectionIndex,
    step: int,
    shard: tuple[int, int] = (0, 1),
    batches: int = 1,
    batch_size: int | None = None,
) -> list[int]:
    """Returns the ids of the images of a training step, read again as they were then.

    Args:
        config: The training.
        index: Images and boxes to train on.
        step: The step; the first is 1.
        shard: Number of this worker, and number of workers.
        batches: Batches of a step of this worker.
        batch_size: Images a batch. Default: the configuration's.
    """
    size, first = batch_size or config.batch_size, (step - 1) * batches
    stream = _stream(config, index, size, True, first, shard)
    taken = stream.batches.take(batches).as_numpy_iterator()
    return [int(number) for batch in taken for number in batch["image_ids"]]


def _stream(
    config: TrainingConfig,
    index: DetectionIndex,
    batch_size: int,
    training: bool,
    first_batch: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> DetectionStream:
    return detection_batches(
        index,
        config.detector.image_size,
        batch_size,
        training,
        config.keep_aspect,
        config.augmentation,
        config.seed,
        first_batch,
        shard,
    )


def as_pixels(batch: dict[str, Any]) -> dict[str, Any]:
    """Returns a batch of `detection_batches` with images in [0, 255] and padding 0.

    Args:
        batch: A batch of tensors, with images in [-1, 1].
    """
    import tensorflow as tf

    images, sizes = batch[IMAGES], batch[SIZES]
    rows = tf.sequence_mask(sizes[:, 0], tf.shape(images)[1])[:, :, tf.newaxis, tf.newaxis]
    columns = tf.sequence_mask(sizes[:, 1], tf.shape(images)[2])[:, tf.newaxis, :, tf.newaxis]
    pixels = tf.where(rows & columns, (images + 1.0) * 127.5, 0.0)
    return {**batch, IMAGES: tf.ensure_shape(pixels, images.shape)}
