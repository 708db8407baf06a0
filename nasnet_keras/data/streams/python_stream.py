"""Batches read from disk by threads of Python, where TensorFlow is not installed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.data.read_ahead import cores, results_in_order
from nasnet_keras.data.sources.example_files import Examples
from nasnet_keras.data.streams.stream import BatchPlan, BatchStream, part_of_host
from nasnet_keras.data.streams.stream_problems import StreamProblems

_BATCHES_AHEAD = 2
_EXAMPLES_AHEAD = 2  # For each thread.

Place = tuple[int, int]
"""The place of an example in the run, and its index."""


@dataclass(frozen=True, eq=False)
class PythonStream(BatchStream):
    """A stream whose `batches` are arrays; each pass over it starts threads of its own."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


@dataclass(frozen=True, eq=False)
class PythonBatches:
    """Batches of images and labels; Pillow and NumPy let threads work at the same time.

    Attributes:
        order: Returns the places to read, in order.
        read: From a place to `(image, label)`; raises an `OSError` or `ValueError` where it cannot
            be read.
        wrong: From the labels `(batch,)` to what is wrong with each, see `open_stream`.
        batch_size: Examples a batch.
        image_shape: Shape of an image.
        problems: What is told of those that cannot be read, and finds others in their place.
    """

    order: Callable[[], Iterator[Place]]
    read: Callable[[Place], tuple[np.ndarray, int]]
    wrong: Callable[[np.ndarray], np.ndarray]
    batch_size: int
    image_shape: tuple[int, ...]
    problems: StreamProblems

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        threads = cores()
        ahead = _BATCHES_AHEAD * self.batch_size + _EXAMPLES_AHEAD * threads
        pool = ThreadPoolExecutor(threads, "images")
        try:
            results = results_in_order(pool, self._read_or_none, self.order(), ahead)
            while examples := list(itertools.islice(results, self.batch_size)):
                yield self._batch(examples)
        finally:
            pool.shutdown(cancel_futures=True)

    def _read_or_none(self, place: Place) -> tuple[np.ndarray, int] | None:
        try:
            return self.read(place)
        except (OSError, ValueError):
            return None

    def _batch(self, examples: list[tuple[Place, Any]]) -> tuple[np.ndarray, np.ndarray]:
        images = np.zeros((len(examples), *self.image_shape), "float32")
        labels = np.zeros(len(examples), "int64")
        readable = np.array([example is not None for _, example in examples])
        for row in np.flatnonzero(readable):
            images[row], labels[row] = examples[row][1]
        wrong = self.wrong(labels)
        if not readable.all() or (wrong != b"").any():
            rows = self.problems.rows(readable, wrong, np.array([at for (_, at), _ in examples]))
            images, labels = images[rows], labels[rows]
        return images, labels.astype("int32")


def open_python_stream(
    examples: Examples,
    plan: BatchPlan,
    make_reader: Callable[[Examples, int], Callable[[Place], tuple[np.ndarray, int]]],
    wrong: Callable[[np.ndarray], np.ndarray],
    image_shape: tuple[int, ...],
) -> PythonStream:
    """Opens a stream of batches of labelled images, as `open_stream` does with TensorFlow.

    Each epoch of training has another order of all examples, of record files too: nothing is read
    to be skipped, and `plan.shuffle_buffer` is not looked at.

    Args:
        examples: The examples of all hosts.
        plan: Which of them come in which batch.
        make_reader: Called with the examples of this host and the key of its random numbers; see
            `PythonBatches.read` for what it returns.
        wrong: See `PythonBatches`.
        image_shape: Shape of an image.

    Raises:
        ValueError: There are fewer examples than a batch has, or they are read by TensorFlow only.
    """
    own, key, steps = part_of_host(examples, plan)
    first = plan.first_step * plan.batch_size

    def order() -> Iterator[Place]:
        if plan.training:
            return _training_order(len(own), key, steps * plan.batch_size, first)
        return iter([(index, index) for index in range(first, len(own))])

    problems = StreamProblems(own, plan.training)
    read = make_reader(own, key)
    batches = PythonBatches(order, read, wrong, plan.batch_size, image_shape, problems)
    return PythonStream(batches, len(examples), steps, examples.class_names, problems)


def _training_order(count: int, key: int, per_epoch: int, first: int) -> Iterator[Place]:
    """Yields epoch after epoch, each in its own order, by key and epoch."""
    index, done = divmod(first, per_epoch)
    for epoch in itertools.count(index):
        order = np.random.default_rng([key, epoch]).permutation(count)[:per_epoch]
        yield from enumerate(order[done:].tolist(), epoch * per_epoch + done)
        done = 0
