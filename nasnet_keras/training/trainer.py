"""The course of every training run, whatever is trained."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import keras
from rich.console import Console

from nasnet_keras.files.atomic_files import check_can_write
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.files.scratch import scratch
from nasnet_keras.out_of_memory import memory_for
from nasnet_keras.settings import Settings
from nasnet_keras.text.plain_console import PlainConsole, say_on
from nasnet_keras.training.checkpoint import TrainingState, restore_checkpoint
from nasnet_keras.training.distribution import Distribution, make_distribution
from nasnet_keras.training.fit import fit_run
from nasnet_keras.training.preemption import hand_on, stop_requests
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_directory import CHECKPOINT_NAME, read_config
from nasnet_keras.training.task import Task

Result = TypeVar("Result")


@scratch()
def train_task(
    task: Task[Result], train_dir: str | os.PathLike[str], console: Console | None = None
) -> Result | None:
    """Trains a network, or continues where an earlier call was cut off, and scores it.

    Args:
        task: What to train.
        train_dir: The run directory.
        console: Where to print progress; `None` for standard output.

    Returns:
        What `Task.finish` returned; `None` where the run was told to stop before its end, and on
        workers other than the chief.

    Raises:
        KeyboardInterrupt: It was told so from the keyboard; the run is saved.
        NonFiniteLossError: The loss is not finite any more.
        OSError: Something cannot be read or written.
        OutOfMemory: The memory does not suffice for the batches.
        ValueError: A setting is refused, or the directory holds another run, or another process is
            writing there.
    """
    with memory_for(batch_size=task.batch_size, **task.image_size):
        return _open_and_train(task, Path(train_dir), console)


def _open_and_train(task: Task[Result], directory: Path, console: Console | None) -> Result | None:
    # ---- Everything that can be refused, before any work.
    task.check()
    options, screen = task.options, console or PlainConsole()
    task.distribution = distribution = _distribution(options, functools.partial(say_on, screen))
    with contextlib.closing(distribution):
        return _open_distributed(task, directory, screen)


def _distribution(options: Any, say: Callable[[str], None]) -> Distribution:
    if options.distribution == "ray":
        from nasnet_keras.training.backup_workers.ray_distribution import ray_distribution

        return ray_distribution(options, options.worker_timeout_secs)
    return make_distribution(
        options.distribution, worker_timeout_secs=options.worker_timeout_secs, say=say
    )


def _open_distributed(task: Task[Result], directory: Path, screen: Console) -> Result | None:
    distribution = task.distribution
    check_can_write(directory / CHECKPOINT_NAME)
    length, learning_rate = task.open(directory, _same_run(directory, task))
    run = Run(
        directory,
        task.options,
        length,
        learning_rate,
        task.batch_size * distribution.replicas,
        task.steps_per_execution,
        screen if distribution.is_chief else Console(quiet=True),
        distribution,
    )

    # Readers take no lock, and of many workers the chief alone writes.
    with locked(directory) if distribution.is_chief else contextlib.nullcontext():
        return _train(task, run)


def _train(task: Task[Result], run: Run) -> Result | None:
    directory, distribution = run.directory, run.distribution
    task.introduce(run)

    # ---- Network, new or as the last checkpoint left it. Only now is the directory made to stay.
    keras.utils.set_random_seed(task.seed)
    with distribution.scope():
        model = task.build(run)
        state = _restore(run, model)
        if state is None:
            task.start(run, model)
    if state is not None:
        run = dataclasses.replace(run, first_step=state.step)
        run.stop.early = state.ended
    elif distribution.is_chief:
        task.write(run)
    task.announce(run)

    # ---- Training.
    evaluator = task.evaluator(run)
    with stop_requests(run.stop), distribution.fit_scope():
        stopped = fit_run(run, task, model, evaluator, state)
        # In the evaluation after the last step there is nobody to agree with.
        stopped = stopped or (distribution.is_chief and run.stop.signal is not None)
    if stopped:
        distribution.agree_to_stop(flag=True)  # Workers wait for the chief, which saves.
        run.say(f"saved {directory}; the same command goes on")
        if run.stop.signal == signal.SIGINT:
            raise KeyboardInterrupt
        hand_on(signal.SIGTERM)
        return None

    # ---- Score.
    result = None
    if distribution.is_chief:
        result = task.finish(run, evaluator.evaluate(model))
    # Workers wait here: one that left would end the chief's process as well.
    distribution.agree_to_stop(flag=False)
    return result


def _same_run(directory: Path, task: Task[Any]) -> Settings | None:
    """Returns the configuration of the run to continue; refuses another run than the task's."""
    if not (directory / CHECKPOINT_NAME).exists():
        return None
    before = read_config(task.config_type, directory)
    if before is None:
        raise ValueError(
            f"{directory} has a {CHECKPOINT_NAME}, but is not a run that can be continued"
        )
    differences = task.differences(before)
    if differences:
        raise ValueError(
            f"{directory} holds a run with other settings ({'; '.join(differences)}): give those, "
            "or another directory"
        )
    return before


def _restore(run: Run, model: keras.Model) -> TrainingState | None:
    """Brings a network to where the last checkpoint left it; `None` where there is none."""
    if not run.checkpoint.exists():
        return None
    state = restore_checkpoint(model, run.checkpoint)
    run.say(f"continuing {run.directory} after step {state.step} of {run.length.total_steps}")
    return state
