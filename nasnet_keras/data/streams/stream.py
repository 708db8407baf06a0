"""Batches of any examples, read from disk while a network trains or is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.data.sources.example_files import Examples
from nasnet_keras.data.streams.batches import batches_per_epoch
from nasnet_keras.data.streams.example_order import evaluation_order, training_order
from nasnet_keras.data.streams.stream_problems import StreamProblems
from nasnet_keras.settings import Count, NonNegativeInt, Settings

_EXAMPLES_AT_ONCE = 16
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class BatchPlan(Settings):
    """Which examples come in which batch.

    In training, each epoch has full batches in a new order; order and augmentation depend on seed,
    host and position only, so that a resumed run sees the same batches. In evaluation each example
    comes once, in order, and the last batch may be smaller.

    Attributes:
        batch_size: Examples a batch, of this host.
        training: Shuffle, augment, repeat, and skip the few that cannot be read.
        seed: Seed of order and changes.
        first_step: Batches to skip, see `training_order`.
        shard: Index of this host, and number of hosts; each reads a part of its own.
        shuffle_buffer: Encoded examples of record files to shuffle among, held in memory twice.

    Raises:
        ValueError: A value is out of range.
    """

    batch_size: Count
    training: bool
    seed: NonNegativeInt = 0
    first_step: NonNegativeInt = 0
    shard: tuple[NonNegativeInt, Count] = (0, 1)
    shuffle_buffer: Count = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        host, hosts = self.shard
        if host >= hosts:
            raise ValueError(f"shard is (index of the host, number of hosts), got {self.shard}")


@dataclass(frozen=True, eq=False)
class BatchStream:
    """A stream of batches; iterate over it for arrays, or hand `batches` to Keras.

    Attributes:
        batches: A `tf.data.Dataset`, of a `PythonStream` an iterable of arrays. In training it
            never ends.
        num_examples: Examples of the split, over all hosts.
        steps_per_epoch: Batches of an epoch, of this host.
        class_names: Names of the classes.
        problems: The examples skipped, and the error that ended the stream.
    """

    batches: Any
    num_examples: int
    steps_per_epoch: int
    class_names: tuple[str, ...]
    problems: StreamProblems

    def __iter__(self) -> Iterator[Any]:
        """Yields the batches as arrays.

        Raises:
            ValueError: An example cannot be read, or something is wrong with it.
        """
        import tensorflow as tf

        try:
            yield from self.batches.as_numpy_iterator()
        except tf.errors.OpError as error:
            raise self.problems.error or error from error


def open_stream(
    examples: Examples,
    plan: BatchPlan,
    make_reader: Callable[[Any, int], Callable[..., Any]],
    wrong: Callable[[Any], Any] | None = None,
) -> BatchStream:
    """Opens a stream of batches.

    Args:
        examples: The examples of all hosts.
        plan: Which of them come in which batch.
        make_reader: Called with the examples of this host and the key of its random numbers,
            returns what is called in tf.data for each example, `(position, *arguments of
            examples.reader()) -> example`. The position is that in the run: augmentation
            depends on it and the key. An example is a structure of tensors of known shapes.
        wrong: Called in tf.data with a batch, returns strings `(batch,)` that say what is wrong
            with an example (`"has label 7, but ..."`), empty where nothing is.

    Returns:
        The stream; its batches have the structure of the examples.

    Raises:
        ValueError: There are fewer examples than a batch has.
    """
    own, key, steps = part_of_host(examples, plan)
    first = plan.first_step * plan.batch_size
    if plan.training:
        order = training_order(own, key, steps * plan.batch_size, first, plan.shuffle_buffer)
    else:
        order = evaluation_order(own, first)
    read = _read_or_marked(order, make_reader(own, key))
    problems = StreamProblems(own, plan.training)
    batches = read.batch(plan.batch_size, drop_remainder=plan.training)
    batches = prefetched(batches.map(_mending(problems, wrong)))
    return BatchStream(batches, len(examples), steps, examples.class_names, problems)


def part_of_host(examples: Examples, plan: BatchPlan) -> tuple[Examples, int, int]:
    """Returns the examples of this host, the key of its random numbers, and its steps an epoch.

    Raises:
        ValueError: There are fewer examples than a batch has.
    """
    if not len(examples):
        raise ValueError(f"dataset {examples.name}: {examples.split} has no example")
    host, hosts = plan.shard
    own = examples.shard(host, hosts)
    # Hosts with one seed must not augment alike.
    key = int(np.random.SeedSequence([plan.seed, host]).generate_state(1)[0] >> 1)
    if plan.training:
        # The same on each host, as all take part in each step.
        return own, key, batches_per_epoch(len(examples) // hosts, plan.batch_size)
    return own, key, -(-len(own) // plan.batch_size)


def _read_or_marked(order: Any, read: Callable[..., Any]) -> Any:
    """Returns the dataset of `(example, whether it could be read, index)`."""
    import tensorflow as tf

    def read_or_mark(position: Any, index: Any, *record: Any) -> Any:
        # tf.data can drop what fails, but not say which it was: hence a dataset of one example,
        # followed by its stand-in.
        element = tf.data.Dataset.from_tensors((position, index, *record))
        good = element.map(lambda *place: (read(*place), True, place[1]))
        spec: Any = good.element_spec
        nothing = tf.nest.map_structure(lambda each: tf.zeros(each.shape, each.dtype), spec[0])
        stand_in = tf.data.Dataset.from_tensors((nothing, False, index))
        return good.ignore_errors(log_warning=False).concatenate(stand_in).take(1)

    return order.interleave(
        read_or_mark,
        cycle_length=_EXAMPLES_AT_ONCE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _mending(problems: StreamProblems, wrong: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """Returns what leaves only the examples of a batch, without those that cannot be used."""
    import tensorflow as tf

    def mend(examples: Any, readable: Any, indices: Any) -> Any:
        found = tf.zeros_like(readable, tf.string) if wrong is None else wrong(examples)

        def mended() -> Any:
            arguments = [readable, found, indices]
            rows = tf.numpy_function(problems.rows, arguments, tf.int64, stateful=True)
            rows = tf.ensure_shape(rows, indices.shape)
            return tf.nest.map_structure(lambda values: tf.gather(values, rows), examples)

        # Python is asked only where something is wrong.
        fine = tf.reduce_all(readable & (found == ""))
        return tf.cond(fine, lambda: examples, mended)

    return mend


def prefetched(batches: Any) -> Any:
    """Returns a dataset that is read ahead, in a fixed order and by every core.

    Args:
        batches: A `tf.data.Dataset`, of which each host reads its own part already.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    # Dropping a dataset waits for its autotune thread, which sleeps for up to a minute. Without it,
    # what may run in parallel uses every core.
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.prefetch(_BATCHES_AHEAD).with_options(options)
