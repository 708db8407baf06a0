"""The progress bar of a training run."""

from __future__ import annotations

import time
from typing import Any

import keras
from rich import progress
from rich.console import Console


class ProgressBar(keras.callbacks.Callback):
    """One bar over the whole run: step, images a second, time left; a line for each epoch.

    Args:
        console: Where to print.
        total_steps: Length of the run.
        batch_size: Images in a step.
        first_step: Steps done before, in a run that is continued.
    """

    def __init__(
        self, console: Console, total_steps: int, batch_size: int, first_step: int = 0
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.step = first_step
        self.total_steps = total_steps
        self.progress = progress.Progress(
            progress.TextColumn("training"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            # In a file or a pipe there is no line to draw over; the lines of the epochs remain.
            disable=not console.is_terminal,
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.task = self.progress.add_task(
            "train", total=self.total_steps, completed=self.step, speed="compiling"
        )
        self.progress.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began, self._images = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += 1
        if self._images == 0:
            # The first step of a run is compiled, which would drown the speed of the others.
            self._began = time.monotonic()
        self._images += self.batch_size
        elapsed = time.monotonic() - self._began
        speed = (self._images - self.batch_size) / elapsed if elapsed > 0 else 0.0
        text = f"{speed:.0f} images/s" if speed else "compiling"
        self.progress.update(self.task, completed=self.step, speed=text)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        parts = [f"epoch {epoch + 1:3}", f"step {self.step}/{self.total_steps}"]
        for name in ("loss", "logits_accuracy", "accuracy"):
            if name in logs:
                parts.append(f"{name.removeprefix('logits_')} {float(logs[name]):.4f}")
        parts.append(self.progress.tasks[0].fields["speed"])
        self.progress.console.print("  ".join(parts), highlight=False)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the terminal back; also needed after an exception, when Keras does not say so."""
        self.progress.stop()
