"""The calls of `Model.fit` that a run is made of, from the step where it is."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import keras

from nasnet_keras.training.backup_workers.pool import StepGivenUp, WorkerError
from nasnet_keras.training.callbacks.progress import ProgressBar
from nasnet_keras.training.callbacks.saving import SaveRun
from nasnet_keras.training.callbacks.step_values import StepValues
from nasnet_keras.training.callbacks.stopping import StopAtNonFiniteLoss, StopWhenAsked
from nasnet_keras.training.callbacks.user_callbacks import UserCallbacks
from nasnet_keras.training.checkpoint import RestoreMetrics, TrainingState
from nasnet_keras.training.evaluator import EvaluateEpochs, TrainingEvaluator
from nasnet_keras.training.run import Run
from nasnet_keras.training.task import Task


def fit_run(
    run: Run,
    task: Task[Any],
    model: keras.Model,
    evaluator: TrainingEvaluator[Any],
    state: TrainingState | None,
) -> bool:
    """Trains to the end of a run.

    Args:
        run: The run.
        task: What is trained.
        model: The network, compiled.
        evaluator: Evaluates it between epochs.
        state: Of the checkpoint that the run goes on from, if it does.

    Returns:
        Whether it was told to stop before the end.

    Raises:
        CallbackError: A user's callback raised an error.
        ValueError: An example cannot be read. The steps before are saved.
    """
    step, bar = run.first_step, ProgressBar(run)
    state = state or TrainingState(step, [], [])
    users = UserCallbacks(run, task.callbacks, state.callbacks)
    finite_loss = StopAtNonFiniteLoss(run, task.describe_step)
    callbacks: list[keras.callbacks.Callback] = [
        RestoreMetrics(run, state.metrics, state.extra_metrics),
        finite_loss,
        StopWhenAsked(run),
    ]
    with contextlib.ExitStack() as closing, warnings.catch_warnings():
        # A searched cell need not use both inputs; what prepares the other one learns nothing.
        warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
        closing.callback(bar.close)
        evaluating = EvaluateEpochs(
            run, task.evaluate_every_epochs, evaluator, bar.evaluating, bool(task.callbacks)
        )
        saving = None
        if run.distribution.is_chief:
            callbacks.append(evaluating)
        # They see what the evaluation found, and are saved as they are after the step.
        callbacks.append(users)
        if run.distribution.is_chief:
            saving = SaveRun(run, task.score, task.panels, users.states, finite_loss.check)
            callbacks.append(saving)
            if run.options.tensorboard:
                board = task.board(run, evaluator)
                closing.callback(board.close)
                callbacks.append(board)
        try:
            if step < run.length.total_steps and not run.stop.early:
                closing.enter_context(run.distribution.helped(task, run, model))
            for first_epoch, end_epoch, steps in run.length.fits(step):
                if run.stop.early:
                    break
                model.fit(
                    run.distribution.distribute(lambda _, step=step: task.batches(step)),
                    shuffle=False,  # The batches are already.
                    steps_per_epoch=steps,
                    initial_epoch=first_epoch,
                    epochs=end_epoch,
                    callbacks=StepValues(
                        [*callbacks, bar],
                        add_history=True,
                        model=model,
                        epochs=end_epoch,
                        steps=steps,
                        verbose=0,
                    ),
                    verbose=0,
                )
                if evaluating.error is not None:
                    raise evaluating.error
                step += (end_epoch - first_epoch) * steps
                if run.stop.agreed:
                    break
            users.end()
        except StepGivenUp:
            # The machines of its workers are taken away, too.
            if saving:
                saving.save_steps_done()
            run.stop.agreed = True
        except Exception as error:
            reason = evaluating.error or task.data_error()
            if reason is None and isinstance(error, WorkerError):
                reason = error
            if reason is None:
                raise
            saved = f"; {saving.save_steps_done()}" if saving else ""
            raise ValueError(f"{reason}{saved}") from error
    return run.stop.agreed
