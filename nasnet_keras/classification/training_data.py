"""The batches of a run, from any of its steps on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.data import load_dataset
from nasnet_keras.data.check.unreadable import drop_unreadable
from nasnet_keras.data.preprocessing import check_preprocessing, preprocess
from nasnet_keras.data.sources.labels_offset import offset_class_names, offset_labels
from nasnet_keras.data.sources.registry import find_examples, fits_in_memory
from nasnet_keras.data.stream_preprocessing import get_stream_preprocessing
from nasnet_keras.data.streams.batches import batches_per_epoch, shuffled_batches
from nasnet_keras.data.streams.pipeline import ReadBy, example_batches, reader_here
from nasnet_keras.data.streams.stream import prefetched
from nasnet_keras.data.streams.stream_problems import StreamProblems

# Preprocessings without a random part. The others change training images as they are read.
_PLAIN = ("scale", "whiten")
# CIFAR at 32x32 takes 0.6 GB; the same images at the size of ImageNet's would take 30.
_MEMORY = 2 * 2**30
_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The training split of a recipe.

    Attributes:
        class_names: Names of the classes, after `labels_offset`.
        num_examples: Images of the split, over all workers.
        worker_batches: Returns this worker's batches from a training step on, or those of the
            worker of a number, without end: batches of one replica, the first of a step for the
            first replica and so on, `(images, {output: one-hot})`. A `tf.data.Dataset` where it is
            streamed or asked for.
        problems: What the streams skipped, and what ended them; none for a dataset in memory.
        read_by: What reads the images as they are needed; `None` for a dataset in memory.
    """

    class_names: tuple[str, ...]
    num_examples: int
    worker_batches: Callable[..., Any]
    problems: list[StreamProblems]
    read_by: ReadBy | None = None

    @property
    def error(self) -> ValueError | None:
        """The line that says what ended a stream, if anything did."""
        return next((each.error for each in self.problems if each.error), None)


def _stays_in_memory(recipe: Recipe, images: int) -> bool:
    """Returns whether the preprocessed split fits in memory and is the same in each epoch."""
    if recipe.dataset_name == "digits":
        return True
    size = images * recipe.train_image_size**2 * 3 * np.dtype(np.float32).itemsize
    return recipe.preprocessing_name in _PLAIN and size <= _MEMORY


def check_training_preprocessing(name: str, streamed: bool) -> None:
    """Raises a `ValueError` that suggests the nearest name where there is no such preprocessing."""
    (get_stream_preprocessing if streamed else check_preprocessing)(name)


def open_training_data(
    recipe: Recipe,
    dataset_dir: str | os.PathLike[str] | None,
    outputs: Sequence[str],
    batch_size: int,
    workers: int = 1,
    worker: int = 0,
    local_replicas: int = 1,
    download: bool = False,
    as_dataset: bool = False,
    drop_invalid: bool = False,
    allow_empty_classes: bool = False,
    read_by: ReadBy | None = None,
) -> TrainingData:
    """Opens the training split of a recipe.

    Args:
        recipe: The recipe.
        dataset_dir: Where datasets are.
        outputs: Names of the network's outputs, each of which is given the label.
        batch_size: Images of a replica in a step.
        workers: Processes that train in step.
        worker: Number of this one.
        local_replicas: Replicas of this one.
        download: Prepare a missing dataset with TensorFlow Datasets.
        as_dataset: Give a dataset in memory as a `tf.data.Dataset` too, as `tf.distribute` needs.
        drop_invalid: See `image_batches`.
        allow_empty_classes: See `image_batches`.
        read_by: See `image_batches`; what reads the images where they do not stay in memory.

    Raises:
        OSError: The dataset cannot be read.
        ValueError: A name is wrong, there are fewer images than a step takes, or what is to read
            them is not installed.
    """
    if fits_in_memory(recipe.dataset_name, dataset_dir):
        dataset = offset_labels(
            load_dataset(recipe.dataset_name, recipe.dataset_split_name, dataset_dir, download),
            recipe.labels_offset,
        )
        if _stays_in_memory(recipe, len(dataset)):
            return _in_memory(
                dataset, recipe, outputs, batch_size, workers, worker, local_replicas, as_dataset
            )

    examples = find_examples(
        *(recipe.dataset_name, recipe.dataset_split_name, dataset_dir),
        *(download, allow_empty_classes),
    )
    if drop_invalid:
        examples = drop_unreadable(examples)
    batches_per_epoch(len(examples), batch_size * local_replicas * workers)
    class_names = offset_class_names(examples.class_names, recipe.labels_offset)
    problems: list[StreamProblems] = []
    read_by = reader_here(read_by)

    def opened(first_step: int, number: int | None) -> Any:
        stream = example_batches(
            *(examples, recipe.preprocessing_name, recipe.train_image_size, batch_size),
            training=True,
            seed=recipe.seed,
            first_step=first_step * local_replicas,
            labels_offset=recipe.labels_offset,
            shard=(worker if number is None else number, workers),
            exif_orientation=recipe.exif_orientation,
            read_by=read_by,
        )
        problems.append(stream.problems)
        return stream

    def by_tensorflow(first_step: int, number: int | None = None) -> Any:
        import tensorflow as tf

        def with_targets(images: Any, labels: Any) -> Any:
            return images, dict.fromkeys(outputs, tf.one_hot(labels, len(class_names)))

        return prefetched(opened(first_step, number).batches.map(with_targets))

    def by_python(first_step: int, number: int | None = None) -> Any:
        targets = np.eye(len(class_names), dtype=np.float32)
        for images, labels in opened(first_step, number):
            yield images, dict.fromkeys(outputs, targets[labels])

    make = by_tensorflow
    if read_by == "python":
        side = recipe.train_image_size
        shape = batch_size, side, side, 3
        make = (
            _as_datasets(by_python, shape, len(class_names), outputs) if as_dataset else by_python
        )
    return TrainingData(class_names, len(examples), make, problems, read_by)


def _as_datasets(
    worker_batches: Callable[..., Any],
    shape: tuple[int, ...],
    classes: int,
    outputs: Sequence[str],
) -> Callable[..., Any]:
    """Returns what gives batches of arrays as a `tf.data.Dataset`; `shape` is that of images."""

    def worker_dataset(first_step: int, number: int | None = None) -> Any:
        import tensorflow as tf

        image = tf.TensorSpec(shape, tf.float32)
        target = tf.TensorSpec((shape[0], classes), tf.float32)
        made = tf.data.Dataset.from_generator(
            lambda: worker_batches(first_step, number),
            output_signature=(image, dict.fromkeys(outputs, target)),
        )
        return prefetched(made)

    return worker_dataset


def _preprocessed(images: np.ndarray, name: str, size: int) -> np.ndarray:
    """Preprocesses a few images at a time: the arithmetic of all takes several times their size."""
    result = np.empty((len(images), size, size, 3), np.float32)
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        result[part] = keras.ops.convert_to_numpy(preprocess(images[part], name, size))
    return result


def _in_memory(
    dataset: Any,
    recipe: Recipe,
    outputs: Sequence[str],
    batch: int,
    workers: int,
    worker: int,
    local_replicas: int,
    as_dataset: bool,
) -> TrainingData:
    images = _preprocessed(dataset.images, recipe.preprocessing_name, recipe.train_image_size)
    targets = np.eye(len(dataset.class_names), dtype=np.float32)[dataset.labels]
    replicas = workers * local_replicas
    batches_per_epoch(len(dataset), batch * replicas)

    def worker_batches(first_step: int, number: int | None = None) -> Any:
        # Every worker orders all the images and takes its part of each step: the replicas together
        # see what one of the whole batch would.
        steps = shuffled_batches(
            images, dict.fromkeys(outputs, targets), batch * replicas, recipe.seed, first_step
        )
        first = (worker if number is None else number) * local_replicas
        for inputs, labels in steps:
            for replica in range(first, first + local_replicas):
                rows = slice(replica * batch, (replica + 1) * batch)
                yield inputs[rows], {name: label[rows] for name, label in labels.items()}

    make = worker_batches
    if as_dataset:
        make = _as_datasets(worker_batches, (batch, *images.shape[1:]), targets.shape[1], outputs)
    return TrainingData(dataset.class_names, len(dataset), make, [])
