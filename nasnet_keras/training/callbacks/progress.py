"""The progress bar of a training run."""

from __future__ import annotations

import time
from typing import Any

from rich import progress

from nasnet_keras.text.plain_console import say_on
from nasnet_keras.text.progress_bar import progress_bar
from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.run import Run

# Of the logs, as far as they are there.
_SHOWN = ("loss", "logits_accuracy", "accuracy", "evaluation_accuracy", "evaluation_AP50")


class ProgressBar(StepCallback):
    """One bar over the whole run: step, images a second, time left; a line for each epoch.

    Args:
        run: The run. Where there is no terminal for a bar, its options say after how many steps to
            print a line.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        # In a file or a pipe there is no line to draw over; the lines of the epochs remain.
        self.progress = progress_bar(
            run.console,
            progress.TextColumn("training"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[speed]}", markup=False),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
        )
        self.task = self.progress.add_task(
            "train", total=run.length.total_steps, completed=self.step, speed="compiling"
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.progress.start()
        self._began = self._stepped = 0.0
        self._first = 0
        self._speed = "compiling"

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # What came between two epochs, evaluation and checkpoint, is no part of the speed.
        self._began += time.monotonic() - self._stepped

    def on_step(self, logs: dict[str, Any]) -> None:
        if self._first == 0:
            # The first step of a run is compiled, which would drown the speed of the others.
            self._began, self._first = time.monotonic(), self.step
        self._stepped = time.monotonic()
        elapsed = self._stepped - self._began
        if elapsed > 0 and self.step > self._first:
            speed = (self.step - self._first) * self.run.images_per_step / elapsed
            self._speed = f"{speed:.{0 if speed >= 10 else 1}f} images/s"
        self.progress.update(self.task, completed=self.step, speed=self._speed)
        every = self.run.options.log_every_n_steps
        last = (self.step - self.run.steps_per_execution) // every
        if self.progress.disable and self.step // every > last and not self.epoch_is_complete:
            self._print((self.step - 1) // self.run.length.epoch_steps, logs)

    def evaluating(self, done: int, total: int) -> None:
        """Shows how far an evaluation between two epochs is."""
        self.progress.update(self.task, speed=f"evaluating {done} of {total}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._print(epoch, logs or {})

    def _print(self, epoch: int, logs: dict[str, Any]) -> None:
        parts = [f"epoch {epoch + 1:3}", f"step {self.step}/{self.run.length.total_steps}"]
        for name in _SHOWN:
            if name in logs:
                label = name.removeprefix("logits_").replace("_", " ")
                parts.append(f"{label} {float(logs[name]):.4f}")
        parts.append(self._speed)
        say_on(self.run.console, "  ".join(parts))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the terminal back; also needed after an exception, when Keras does not say so."""
        self.progress.stop()
