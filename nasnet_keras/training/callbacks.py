"""What happens between steps and epochs: the end of the run, its checkpoints and its log."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.training.checkpoint import keep_copy, link_or_copy, save_checkpoint
from nasnet_keras.training.curves import CLASSIFIER_PANELS, Panels, draw_curves
from nasnet_keras.training.log import LOG_NAME, append_epoch, best_score
from nasnet_keras.training.run_directory import BEST_NAME, COPIES_NAME
from nasnet_keras.training.run_length import RunLength

_SECONDS_BETWEEN_PICTURES = 30


class StepCallback(keras.callbacks.Callback):
    """Knows which training step of the run is done.

    It is counted here, because some backends bring the optimizer's own count up to date only when
    an epoch ends.

    Args:
        first_step: Steps done before, in a run that is continued.
        steps_per_execution: Steps between two calls.
    """

    def __init__(self, first_step: int = 0, steps_per_execution: int = 1) -> None:
        super().__init__()
        self.step = first_step
        self.steps_per_execution = steps_per_execution

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += self.steps_per_execution
        self.on_step(logs or {})

    def on_step(self, logs: dict[str, Any]) -> None:
        """Called once `self.step` steps are done."""


class StopWhenAsked(StepCallback):
    """Ends the training after the step in which somebody asked for it.

    Args:
        asked: Says whether to stop; asked after every step.
    """

    def __init__(self, asked: Callable[[], bool]) -> None:
        super().__init__()
        self.asked = asked
        self.stopped = False

    def on_step(self, logs: dict[str, Any]) -> None:
        if self.asked():
            self.stopped = True
            self.model.stop_training = True


class NonFiniteLossError(ArithmeticError):
    """The loss is infinite or no number: what follows would be lost work."""


class StopAtNonFiniteLoss(StepCallback):
    """Ends the training at once where the loss is infinite or no number, before anything is saved.

    Args:
        checkpoint: Where the last good checkpoint is, if there is one.
        learning_rate: A number, or a schedule over steps.
        describe: Says which batch a step had, e.g. `", images 7 and 9"`.
        **kwargs: See `StepCallback`.

    Raises:
        NonFiniteLossError: Out of `Model.fit`; names the step, its batch, the learning rate and the
            last good checkpoint.
    """

    def __init__(
        self,
        checkpoint: Path,
        learning_rate: float | Callable[[int], Any],
        describe: Callable[[int], str] = lambda step: "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.learning_rate = learning_rate
        self.describe = describe

    def on_step(self, logs: dict[str, Any]) -> None:
        # The mean over the epoch so far: one bad loss and it stays so.
        loss = float(logs.get("loss", 0.0))
        if math.isfinite(loss):
            return
        # The rate that this step was made with; a schedule counts from 0.
        rate = rate_at(self.learning_rate, self.step - 1)
        good = f"the last good checkpoint is {self.checkpoint}"
        if not self.checkpoint.exists():
            good = "there is no checkpoint yet"
        raise NonFiniteLossError(
            f"the loss is {loss} at step {self.step}{self.describe(self.step)}, learning rate "
            f"{rate:g}; {good}"
        )


# Told after each part of an evaluation how many parts are done, and how many there are.
OnProgress = Callable[[int, int], None]


class _EvaluationStoppedError(Exception):
    """Somebody asked for the end of the run in the midst of an evaluation."""


class EvaluateEpochs(keras.callbacks.Callback):
    """Evaluates after every few epochs; the results join the logs of the epoch.

    An evaluation in which somebody asks for the end of the run is given up, for it may take longer
    than a machine that is taken away is left. The epoch is then logged without its results.

    Args:
        every: Epochs between evaluations.
        evaluate: Returns the results by name, e.g. `{"evaluation_accuracy": 0.9}`.
        asked: Says whether to stop.
        show: Shows how far an evaluation is.
    """

    def __init__(
        self,
        every: int,
        evaluate: Callable[[OnProgress], dict[str, float]],
        asked: Callable[[], bool],
        show: OnProgress,
    ) -> None:
        super().__init__()
        self.every = every
        self.evaluate = evaluate
        self.asked = asked
        self.show = show

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None and (epoch + 1) % self.every == 0 and not self.model.stop_training:
            # The run ends after its next step, upon which all workers agree.
            with contextlib.suppress(_EvaluationStoppedError):
                logs.update(self.evaluate(self._on_progress))

    def _on_progress(self, done: int, total: int) -> None:
        self.show(done, total)
        if self.asked():
            raise _EvaluationStoppedError


class SaveRun(StepCallback):
    """Writes checkpoints, and a line of the log for each complete epoch.

    After a kill between log and checkpoint the epoch is logged twice; the last line counts.

    Args:
        directory: The run directory, with `checkpoint` and the log in it.
        checkpoint: Name of the checkpoint, replaced each time.
        learning_rate: A number, or a schedule over steps.
        length: How long epochs and run are.
        stop: Says whether the run was asked to stop, which is when it is saved as well.
        interval: Seconds between checkpoints within an epoch.
        keep: Checkpoints of epochs to keep besides.
        score: What of an epoch's logs says which checkpoint is the best; larger is better.
        panels: What `draw_curves` shows.
        **kwargs: See `StepCallback`.

    Raises:
        OSError: Out of `Model.fit`: something cannot be written.
    """

    def __init__(
        self,
        directory: Path,
        checkpoint: str,
        learning_rate: float | Callable[[int], Any],
        length: RunLength,
        stop: StopWhenAsked,
        interval: float,
        keep: int,
        score: str = "evaluation_accuracy",
        panels: Panels = CLASSIFIER_PANELS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.directory = directory
        self.checkpoint = directory / checkpoint
        self.log = directory / LOG_NAME
        self.learning_rate = learning_rate
        self.length = length
        self.stop = stop
        self.interval = interval
        self.keep = keep
        self.score = score
        self.panels = panels
        self.best = best_score(self.log, score, self.step)
        self._saved = self._drawn = time.monotonic()

    @property
    def _epoch_is_complete(self) -> bool:
        return self.step % self.length.epoch_steps == 0 or self._run_is_complete

    @property
    def _run_is_complete(self) -> bool:
        return self.step >= self.length.total_steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_step(self, logs: dict[str, Any]) -> None:
        if self._epoch_is_complete:
            return  # Saved in a moment, at the end of the epoch.
        if self.stop.stopped or time.monotonic() - self._saved >= self.interval:
            save_checkpoint(self.model, self.checkpoint, self.step, in_epoch=True)
            self._saved = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._epoch_is_complete:
            return
        record = {
            "epoch": epoch + 1,
            "step": self.step,
            "learning_rate": rate_at(self.learning_rate, self.step),
            "seconds": round(time.monotonic() - self._began, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        append_epoch(self.log, record)
        score = record.get(self.score)
        if score is not None and score > self.best:
            # First, so that a kill in between costs neither.
            best = self.directory / BEST_NAME
            save_checkpoint(self.model, best, self.step)
            link_or_copy(best, self.checkpoint)
            self.best = score
        else:
            save_checkpoint(self.model, self.checkpoint, self.step)
        self._saved = time.monotonic()
        if self.keep:
            keep_copy(self.checkpoint, self.directory / COPIES_NAME, self.step, self.keep)
        if self._run_is_complete or self._saved - self._drawn > _SECONDS_BETWEEN_PICTURES:
            draw_curves(self.log, self.directory / "curves.png", self.panels)
            self._drawn = self._saved


def rate_at(learning_rate: float | Callable[[int], Any], step: int) -> float:
    """Returns the learning rate after some steps."""
    return float(learning_rate(step) if callable(learning_rate) else learning_rate)
