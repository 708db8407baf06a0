"""A run as TensorBoard shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import keras
from absl import logging

from nasnet_keras.layers import DropPath
from nasnet_keras.whole_files import make_directory


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes what a training run does to a directory that `tensorboard --logdir` reads.

    After every `every` steps, counted from the first of the run: the loss and what else a subclass
    shows, as means over the steps since the last point (`training/`); `learning_rate`,
    `drop_path_keep_probability` (of the last cell) and `images_per_second`. After each epoch its
    means (`epoch/`), and those of its logs that other callbacks added as `evaluation_...`
    (`evaluation/`).

    A run that is continued writes another file, which begins by taking back all that is later than
    `first_step`; the points come at the same steps again, so that none is there twice.

    Where tensorboardX is not installed, one warning says so and nothing is written.

    Args:
        directory: Where to write; made if need be.
        first_step: Steps done before, in a run that is continued.
        every: Steps from point to point.
        learning_rate: A number, or a schedule over steps. Not asked of the optimizer: some backends
            bring its count of steps up to date only when an epoch ends.
        batch_size: Images in a step, of all replicas together.
    """

    # What of Keras's logs are means over the epoch so far.
    means: tuple[str, ...] = ("loss",)

    def __init__(
        self,
        directory: str | os.PathLike[str],
        first_step: int,
        every: int,
        learning_rate: float | Callable[[int], Any],
        batch_size: int,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every is at least 1, got {every}")
        self.step = first_step
        self.every = every
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self._writer = open_writer(directory, first_step)
        self._drop_path: DropPath | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        paths = [getattr(layer, "drop_path", None) for layer in self.model.layers]
        paths = [path for path in paths if isinstance(path, DropPath)]
        self._drop_path = max(paths, key=lambda path: path.cell_number, default=None)
        self._compiled = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches = 0
        self._begin_window({})

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Where several steps are executed at once, Keras reports the last of them.
        steps = batch + 1 - self._batches
        self._batches += steps
        before, self.step = self.step, self.step + steps
        if not self._compiled:
            # What compiled the step would drown the speed of the others.
            self._compiled = True
            self._clock, self._timed_from = time.monotonic(), self._batches
        if self.step // self.every > before // self.every:
            self._write_window(dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = dict(logs or {})
        if self._batches > self._written:
            self._write_window(logs)
        values = {f"epoch/{name}": value for name, value in self.training_values(logs).items()}
        for name, value in logs.items():
            if name.startswith("evaluation_"):
                values[f"evaluation/{name.removeprefix('evaluation_')}"] = value
        self._write(values)
        self.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.flush()

    def flush(self) -> None:
        """Brings what is written so far to the disk."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Ends the file; also needed after an exception, when Keras does not say so."""
        if self._writer is not None:
            self._writer.close()

    # A window is what lies between two points. Keras gives means since the beginning of the epoch.

    def _begin_window(self, logs: dict[str, Any]) -> None:
        self._means = {name: float(logs[name]) for name in self.means if name in logs}
        self._written = self._timed_from = self._batches
        self._clock = time.monotonic()

    def _write_window(self, logs: dict[str, Any]) -> None:
        now, new = self._batches, self._batches - self._written
        means = {
            name: (float(logs[name]) * now - self._means.get(name, 0.0) * self._written) / new
            for name in self.means
            if name in logs
        }
        values = {f"training/{k}": value for k, value in self.training_values(means).items()}
        rate = self.learning_rate
        # The rate that this step was made with; a schedule counts from 0.
        values["learning_rate"] = rate(self.step - 1) if callable(rate) else rate
        if self._drop_path is not None:
            keep = self._drop_path.current_keep_probability(self.step - 1)
            values["drop_path_keep_probability"] = keep
        elapsed = time.monotonic() - self._clock
        if now > self._timed_from and elapsed > 0:
            values["images_per_second"] = (now - self._timed_from) * self.batch_size / elapsed
        self._write(values)
        self._begin_window(logs)

    def training_values(self, logs: dict[str, Any]) -> dict[str, float]:
        """Returns what to show, as `training/` and `epoch/`, of some of the `means` of the logs."""
        return {name: logs[name] for name in self.means if name in logs}

    def _write(self, values: dict[str, Any]) -> None:
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, float(value), self.step)


def open_writer(directory: str | os.PathLike[str], last_step: int) -> Any:
    """Returns a writer of the steps after `last_step`, or `None` and a warning."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        logging.warning(
            "nothing is written for TensorBoard: run `pip install 'nasnet-keras[tensorboard]'`"
        )
        return None
    # A run that is continued twice in a second must not write to the same file.
    return SummaryWriter(
        os.fspath(make_directory(directory)),
        purge_step=last_step + 1,
        filename_suffix=f".{last_step + 1:09d}",
        flush_secs=10,
    )
