"""The calls of `Model.fit` that a run is made of, from the step where it is."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import keras

from nasnet_keras.training.callbacks.progress import ProgressBar
from nasnet_keras.training.callbacks.saving import SaveRun
from nasnet_keras.training.callbacks.stopping import StopAtNonFiniteLoss, StopWhenAsked
from nasnet_keras.training.checkpoint import RestoreMetrics
from nasnet_keras.training.evaluator import EvaluateEpochs, TrainingEvaluator
from nasnet_keras.training.run import Run
from nasnet_keras.training.task import Task


def fit_run(
    run: Run,
    task: Task[Any],
    model: keras.Model,
    evaluator: TrainingEvaluator[Any],
    metrics: list[Any],
) -> bool:
    """Trains to the end of a run.

    Args:
        run: The run.
        task: What is trained.
        model: The network, compiled.
        evaluator: Evaluates it between epochs.
        metrics: The sums behind the means of an epoch that was cut in two, see `RestoreMetrics`.

    Returns:
        Whether it was told to stop before the end.

    Raises:
        ValueError: An example cannot be read. The steps before are saved.
    """
    step, bar = run.first_step, ProgressBar(run)
    callbacks: list[keras.callbacks.Callback] = [
        RestoreMetrics(metrics),
        StopAtNonFiniteLoss(run, task.describe_step),
        StopWhenAsked(run),
    ]
    with contextlib.ExitStack() as closing, warnings.catch_warnings():
        # A searched cell need not use both inputs; what prepares the other one learns nothing.
        warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
        closing.callback(bar.close)
        evaluating = EvaluateEpochs(run, task.evaluate_every_epochs, evaluator, bar.evaluating)
        saving = None
        if run.distribution.is_chief:
            saving = SaveRun(run, task.score, task.panels)
            callbacks += [evaluating, saving]
            if run.options.tensorboard:
                board = task.board(run, evaluator)
                closing.callback(board.close)
                callbacks.append(board)
        try:
            for first_epoch, end_epoch, steps in run.length.fits(step):
                model.fit(
                    run.distribution.distribute(lambda _, step=step: task.batches(step)),
                    shuffle=False,  # The batches are already.
                    steps_per_epoch=steps,
                    initial_epoch=first_epoch,
                    epochs=end_epoch,
                    callbacks=[*callbacks, bar],
                    verbose=0,
                )
                if evaluating.error is not None:
                    raise evaluating.error
                step += (end_epoch - first_epoch) * steps
                if run.stop.agreed:
                    return True
        except Exception as error:
            reason = evaluating.error or task.data_error()
            if reason is None:
                raise
            saved = f"; {saving.save_steps_done()}" if saving else ""
            raise ValueError(f"{reason}{saved}") from error
    return False
