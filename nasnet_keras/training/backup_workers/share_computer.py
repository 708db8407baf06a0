"""What a worker does: the gradients of a share of a step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nasnet_keras.out_of_memory import memory_for
from nasnet_keras.training.backup_workers.backend import shares_of_backend
from nasnet_keras.training.backup_workers.flat_variables import NetworkLayout, shifted_seeds
from nasnet_keras.training.backup_workers.messages import Contribution, NetworkState
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.task import Task

# A worker that takes over others' shares keeps the place in those of some.
_STREAMS = 4


class ShareComputer:
    """Computes shares of steps, with a network and data of its own.

    Between two shares it keeps nothing that a result depends on.

    Args:
        open_task: Returns the task, with its data opened.
        length: How long the run is.
        floats: How many numbers the network has where the run is, as a check.

    Raises:
        ValueError: The network here is another one.
    """

    def __init__(self, open_task: Callable[[], Task[Any]], length: RunLength, floats: int) -> None:
        self.task = task = open_task()
        keras.utils.set_random_seed(task.seed)
        self.model: Any = task.build(Run(Path(), task.options, length, 0.0, task.batch_size))
        # Without the slots of the one that updates.
        self.model.optimizer = keras.optimizers.SGD()
        backend = shares_of_backend()
        self.layout = NetworkLayout(self.model, backend.INTEGER_TYPE)
        if len(self.layout.floats) != floats:
            raise ValueError(
                f"the network has {len(self.layout.floats)} numbers here, but {floats} where the "
                "run is: install the same versions on all machines"
            )
        self._seeds = self.layout.seeds()
        self._contribution = backend.gradient_function(self.model, self.layout)
        # By share, those used last at the end.
        self._streams: OrderedDict[int, tuple[int, Iterator[Any]]] = OrderedDict()

    def __call__(self, step: int, share: int, state: NetworkState) -> Contribution:
        """Computes a share of a step.

        Raises:
            OutOfMemory: The memory does not suffice for the batch.
            ValueError: An image cannot be read.
        """
        integers = shifted_seeds(state.integers, self._seeds, share)
        with memory_for(batch_size=self.task.batch_size, **self.task.image_size):
            batch = self._batch(step, share)
            result = self._contribution(state._replace(integers=integers), batch)
        # The seeds of the run stay those of share 0.
        return result._replace(integers=np.where(self._seeds, state.integers, result.integers))

    def _batch(self, step: int, share: int) -> Any:
        """Returns the images and targets of a share, for which steps in between are passed over."""
        place, batches = self._streams.pop(share, (step + 1, iter(())))
        if place > step:
            place, batches = step, iter(self.task.batches(step, share))
        try:
            for _ in range(step - place):
                next(batches)
            batch = next(batches)
        except Exception as error:
            raise self.task.data_error() or error from error
        self._streams[share] = step + 1, batches
        if len(self._streams) > _STREAMS:
            self._streams.popitem(last=False)
        return keras.tree.map_structure(np.asarray, batch)
