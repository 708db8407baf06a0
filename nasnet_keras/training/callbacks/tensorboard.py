"""A run as TensorBoard shows it."""

from __future__ import annotations

import os
import time
from typing import Any

from absl import logging

from nasnet_keras.files.atomic_files import make_directory
from nasnet_keras.layers import DropPath
from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.run import Run


class TensorBoardScalars(StepCallback):
    """Writes what a run does to its `tensorboard/`, which `tensorboard --logdir` reads.

    After every few steps, counted from the first of the run, as its options say: the loss and what
    else a subclass shows, as means over the steps since the last point (`training/`);
    `learning_rate`, `drop_path_keep_probability` (of the last cell) and `images_per_second`. After
    each epoch its means (`epoch/`), and those of its logs that other callbacks added as
    `evaluation_...` (`evaluation/`).

    A run that is continued writes another file, which begins by taking back all that is later than
    its first step; the points come at the same steps again, so that none is there twice.

    Where tensorboardX is not installed, one warning says so and nothing is written.

    Args:
        run: The run.
    """

    # What of Keras's logs are means over the epoch so far.
    means: tuple[str, ...] = ("loss",)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._writer = open_writer(run.directory / "tensorboard", run.first_step)
        self._drop_path: DropPath | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        paths = [getattr(layer, "drop_path", None) for layer in self.model.layers]
        paths = [path for path in paths if isinstance(path, DropPath)]
        self._drop_path = max(paths, key=lambda path: path.cell_number, default=None)
        self._compiled = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches = 0
        self._begin_window({})

    def on_step(self, logs: dict[str, Any]) -> None:
        steps, every = self.run.steps_per_execution, self.run.options.log_every_n_steps
        self._batches += steps
        if not self._compiled:
            # What compiled the step would drown the speed of the others.
            self._compiled = True
            self._clock, self._timed_from = time.monotonic(), self._batches
        if self.step // every > (self.step - steps) // every:
            self._write_window(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = dict(logs or {})
        if self._batches > self._written:
            self._write_window(logs)
        values = {f"epoch/{name}": value for name, value in self.training_values(logs).items()}
        for name, value in logs.items():
            if name.startswith("evaluation_"):
                values[f"evaluation/{name.removeprefix('evaluation_')}"] = value
        self._write(values)
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
        # The rate that this step was made with; a schedule counts from 0.
        values["learning_rate"] = self.run.learning_rate_at(self.step - 1)
        if self._drop_path is not None:
            keep = self._drop_path.current_keep_probability(self.step - 1)
            values["drop_path_keep_probability"] = keep
        elapsed = time.monotonic() - self._clock
        if now > self._timed_from and elapsed > 0:
            images = (now - self._timed_from) * self.run.images_per_step
            values["images_per_second"] = images / elapsed
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
