"""The streams of a training configuration: its image size, random changes and seed."""

from __future__ import annotations

from typing import Any

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.batches import DetectionStream, detection_batches
from nasnet_keras.detection.data.detection_index import DetectionIndex


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
        first_batch: Batches to skip.
        shard: Index of this worker, and number of workers.
        batch_size: Images a batch. Default: the configuration's.
    """
    return _stream(config, index, batch_size, training=True, first_step=first_batch, shard=shard)


def evaluation_stream(
    config: TrainingConfig, index: DetectionIndex, batch_size: int | None = None
) -> DetectionStream:
    """Returns the images to score, each once, see `detection_batches`.

    Args:
        config: The training.
        index: The images.
        batch_size: Images a batch. Default: the configuration's.
    """
    return _stream(config, index, batch_size, training=False)


def image_ids_of_step(
    config: TrainingConfig,
    index: DetectionIndex,
    step: int,
    shard: tuple[int, int] = (0, 1),
    batches: int = 1,
    batch_size: int | None = None,
) -> list[int]:
    """Returns the ids of the images of a training step, by reading them again.

    Args:
        config: The training.
        index: Images and boxes to train on.
        step: The step; the first is 1.
        shard: Index of this worker, and number of workers.
        batches: Batches of a step of this worker.
        batch_size: Images a batch. Default: the configuration's.
    """
    stream = training_stream(config, index, (step - 1) * batches, shard, batch_size)
    taken = stream.batches.take(batches).as_numpy_iterator()
    return [int(image_id) for batch in taken for image_id in batch["image_ids"]]


def _stream(
    config: TrainingConfig, index: DetectionIndex, batch_size: int | None, **plan: Any
) -> DetectionStream:
    return detection_batches(
        index,
        config.detector.image_size,
        batch_size or config.batch_size,
        keep_aspect=config.keep_aspect,
        augmentation=config.augmentation,
        seed=config.seed,
        **plan,
    )
