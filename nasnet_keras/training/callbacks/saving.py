"""The checkpoints of a run, its log, and the picture of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras import ops

from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.callbacks.stopping import NonFiniteLossError, last_good
from nasnet_keras.training.checkpoint import keep_copy, link_or_copy, save_checkpoint
from nasnet_keras.training.curves import Panels, draw_curves
from nasnet_keras.training.log import LOG_NAME, append_epoch, best_score
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_directory import BEST_NAME, COPIES_NAME
from nasnet_keras.weights.values import check_finite, model_values

_SECONDS_BETWEEN_PICTURES = 30


class SaveRun(StepCallback):
    """Writes checkpoints, and a line of the log for each complete epoch.

    The options say how often, and how many to keep. After a kill between log and checkpoint the
    epoch is logged twice; the last line counts.

    Args:
        run: The run.
        score: What of an epoch's logs says which checkpoint is the best; larger is better.
        panels: What `draw_curves` shows.
        states: Returns what the users' callbacks remember.
        check: Called before anything is saved; raises an error where nothing shall be.

    Raises:
        NonFiniteLossError: Out of `Model.fit`: a weight is not finite; nothing is replaced.
        OSError: Out of `Model.fit`: something cannot be written.
    """

    def __init__(
        self,
        run: Run,
        score: str,
        panels: Panels,
        states: Callable[[], Mapping[str, Any]] = dict,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(run)
        self.score = score
        self.panels = panels
        self.states = states
        self.check = check
        self.log = run.directory / LOG_NAME
        self.best = best_score(self.log, score, run.first_step)
        self._saved = self._drawn = time.monotonic()
        self._saved_step = run.first_step

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_step(self, logs: dict[str, Any]) -> None:
        if self.epoch_is_complete:
            return  # Saved in a moment, at the end of the epoch.
        interval = self.run.options.save_interval_secs
        if self.run.stop.agreed or time.monotonic() - self._saved >= interval:
            self._save(self.run.checkpoint, in_epoch=True)
            self._saved = time.monotonic()

    def _save(self, path: Path, in_epoch: bool = False) -> None:
        """Saves the network, unless the last step has ruined it or its loss."""
        self.check()
        try:
            check_finite(f"step {self.step}", model_values(self.model))
        except ValueError as error:
            raise NonFiniteLossError(f"{error}; {last_good(self.run)}") from None
        early = self.run.stop.early
        save_checkpoint(self.model, path, self.step, in_epoch, self.states(), early)
        self._saved_step = self.step

    def save_steps_done(self) -> str:
        """Saves the steps before one whose batch could not be read; says what is saved."""
        # Of several steps in one call of the backend, some may be done. Before the first is, JAX
        # has no values.
        if (
            self._saved_step
            < self.step
            == int(ops.convert_to_numpy(self.model.optimizer.iterations))
        ):
            self._save(self.run.checkpoint, in_epoch=not self.epoch_is_complete)
        if not self.run.checkpoint.exists():
            return "no step was done yet"
        return f"{self.run.checkpoint} has {self._saved_step} steps; the same command goes on"

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.epoch_is_complete:
            return
        run = self.run
        record = {
            "epoch": epoch + 1,
            "step": self.step,
            "learning_rate": run.learning_rate_at(self.step),
            "seconds": round(time.monotonic() - self._began, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        append_epoch(self.log, record)
        score = record.get(self.score)
        if score is not None and score > self.best:
            # First, so that a kill in between costs neither.
            best = run.directory / BEST_NAME
            self._save(best)
            link_or_copy(best, run.checkpoint)
            self.best = score
        else:
            self._save(run.checkpoint)
        self._saved = time.monotonic()
        keep = run.options.keep_checkpoints
        if keep:
            keep_copy(run.checkpoint, run.directory / COPIES_NAME, self.step, keep)
        if self.run_is_complete or self._saved - self._drawn > _SECONDS_BETWEEN_PICTURES:
            draw_curves(self.log, run.directory / "curves.png", self.panels)
            self._drawn = self._saved
