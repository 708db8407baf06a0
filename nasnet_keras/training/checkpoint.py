"""A checkpoint: a `.keras` file that also knows where in the run it was saved."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.files.atomic_files import atomic_write, make_directory
from nasnet_keras.files.scratch import scratch
from nasnet_keras.text.plain_text import shown
from nasnet_keras.training.run import Run
from nasnet_keras.weights.assign import first_line
from nasnet_keras.weights.keras_archive import check_keras_file, read_json_member
from nasnet_keras.weights.values import check_finite, model_values

# Keras reads the members it knows and passes over this one.
_STATE_NAME = "training_state.json"
_SEED_NAME = "seed_generator_state"


@dataclass(frozen=True)
class TrainingState:
    """What a run needs to go on and Keras does not save.

    Attributes:
        step: Training steps done.
        seeds: State of each random generator of the network, in the order of its variables.
        metrics: The sums behind the epoch's means so far; empty at the end of an epoch.
        extra_metrics: The variables of the user's own metrics then, by name.
        callbacks: What the users' own callbacks remember, by name.
        ended: The training is over, though this is not the last step.
    """

    step: int
    seeds: list[list[int]]
    metrics: list[Any]
    extra_metrics: dict[str, list[Any]] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    ended: bool = False


def save_checkpoint(
    model: keras.Model,
    path: str | os.PathLike[str],
    step: int,
    in_epoch: bool = False,
    callbacks: Mapping[str, Any] | None = None,
    ended: bool = False,
) -> None:
    """Saves network, optimizer and the state of the run as one file, atomically.

    Args:
        model: The network, compiled.
        path: The `.keras` file; what is there is replaced once the new one is complete.
        step: Training steps done.
        in_epoch: The epoch goes on: its means so far are saved too. Not under a `tf.distribute`
            strategy, where reading them takes all workers.
        callbacks: `TrainingState.callbacks`.
        ended: `TrainingState.ended`.

    Raises:
        OSError: The file cannot be written; what was there is as it was.
    """
    path = Path(path)
    strategy = getattr(model, "distribute_strategy", None)
    extra = _extra_metrics(model) if in_epoch else []
    sums = model.metrics_variables if in_epoch else []
    sums = sums[: len(sums) - sum(len(metric.variables) for metric in extra)]
    if strategy is not None and strategy.num_replicas_in_sync > 1:
        sums, extra = [], []
    state: dict[str, Any] = {
        "step": step,
        "seeds": [_numbers(variable) for variable in _seeds(model)],
        "metrics": [_numbers(variable) for variable in sums],
    }
    # Earlier versions read what has none of these.
    if extra:
        state["extra_metrics"] = {m.name: [_numbers(v) for v in m.variables] for m in extra}
    state |= {"callbacks": dict(callbacks)} if callbacks else {}
    state |= {"ended": True} if ended else {}
    try:
        with scratch(), atomic_write(path) as temporary:
            model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(_STATE_NAME, json.dumps(state))
    # HDF5 and Keras have errors of their own for a disk that is full.
    except (OSError, RuntimeError, ValueError) as error:
        last = f"{path} is the last good checkpoint" if path.exists() else "there is no earlier one"
        reason = str(error).strip().splitlines()[0]
        raise OSError(f"the checkpoint of step {step} cannot be written: {reason}; {last}") from (
            error
        )


def read_training_state(path: str | os.PathLike[str]) -> TrainingState | None:
    """Reads the state of a run out of a checkpoint; `None` where the file has none.

    Raises:
        OSError: There is no such file.
        ValueError: It is not a complete `.keras` file.
    """
    state = read_json_member(path, _STATE_NAME)
    if state is None:
        return None
    try:
        state = TrainingState(**state)
        if type(state.step) is not int or state.step < 0:
            raise ValueError(f"step is a whole number of at least 0, got {shown(state.step)}")
        check_finite("it", [("metrics", np.asarray(sums, float)) for sums in state.metrics])
        _ = [np.asarray(seed, "uint32") for seed in state.seeds]
        for name in ("extra_metrics", "callbacks"):
            if not isinstance(getattr(state, name), dict):
                raise ValueError(f"{name} is a table, got {shown(getattr(state, name))}")
        if not isinstance(state.ended, bool):
            raise ValueError(f"ended is true or false, got {shown(state.ended)}")
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} is not a complete checkpoint: {error}") from None
    return state


def restore_checkpoint(model: keras.Model, path: str | os.PathLike[str]) -> TrainingState:
    """Brings a network, its optimizer and its random generators to where a checkpoint was saved.

    An error leaves all of them as they were.

    Args:
        model: The network of the same recipe, compiled and as new.
        path: The checkpoint.

    Returns:
        The state; its metrics are for `RestoreMetrics`.

    Raises:
        OSError: There is no such file.
        ValueError: It is damaged, or of another network, or a number in it is not finite.
    """
    check_keras_file(path)
    state = read_training_state(path)
    if state is None:
        raise ValueError(f"{path} was not saved by a run, which cannot be continued from it")
    seeds = _seeds(model)
    model.optimizer.build(model.trainable_variables)
    # Keras sets one variable after another and tells at the end which did not fit.
    variables = [*model.variables, *model.optimizer.variables]
    before = [ops.convert_to_numpy(variable) for variable in variables]
    try:
        if len(seeds) != len(state.seeds):
            raise ValueError(f"it has {len(state.seeds)} random generators, and not {len(seeds)}")
        model.load_weights(path)
        for variable, value in zip(seeds, state.seeds, strict=True):
            variable.assign(np.asarray(value, variable.dtype))
        check_finite("it", model_values(model))
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise ValueError(
            f"{path} does not fit the network of this run: {first_line(error)}"
        ) from error
    return state


class RestoreMetrics(keras.callbacks.Callback):
    """Gives the metrics of the first epoch what a checkpoint within it has.

    So the epoch's line in the log is that of an uninterrupted run.

    Args:
        run: The run; it says so where the user's metrics are others now.
        metrics: `TrainingState.metrics`.
        extra: `TrainingState.extra_metrics`.
    """

    def __init__(self, run: Run, metrics: list[Any], extra: Mapping[str, list[Any]]) -> None:
        super().__init__()
        self.run = run
        self.values = metrics
        self.extra = extra

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        saved, self.extra = self.extra, {}
        given = {metric.name: metric for metric in _extra_metrics(self.model)}
        for name in saved.keys() & given.keys():
            _set_variables(given[name], saved[name])
        if self.values and saved.keys() != given.keys():
            self.run.say(f"epoch {epoch + 1} had other metrics; those of now begin within it")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # After the first step, because some backends make the variables only then; Keras's own are
        # sums. Those of the user's metrics come last.
        values, self.values = self.values, []
        if not values:
            return  # `self.model` brings JAX's variables up to date.
        for variable, value in zip(self.model.metrics_variables, values, strict=False):
            variable.assign(ops.convert_to_numpy(variable) + np.asarray(value, variable.dtype))


def _extra_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the user's own metrics of a network that may have some."""
    extra = getattr(model, "extra_metrics", None)
    return extra.metrics if extra else []


def _set_variables(metric: keras.metrics.Metric, values: list[Any]) -> None:
    if [np.shape(value) for value in values] != [tuple(each.shape) for each in metric.variables]:
        raise ValueError(
            f"metric {shown(metric.name)} is another than that of the checkpoint: give that, or "
            "this one another name"
        )
    for variable, value in zip(metric.variables, values, strict=True):
        variable.assign(np.asarray(value, variable.dtype))


def link_or_copy(path: Path, target: Path) -> None:
    """Gives a checkpoint a second name, at no cost where the file system has links.

    The next checkpoint of the first name replaces the name and not the file.

    Args:
        path: The checkpoint.
        target: The second name; what is there is replaced.

    Raises:
        OSError: It cannot be written.
    """
    with atomic_write(target) as temporary:
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)


def keep_copy(path: Path, directory: Path, step: int, keep: int) -> None:
    """Keeps a checkpoint as `step-<n>.keras` in a directory, and the last few only.

    Args:
        path: The checkpoint.
        directory: Where the copies are.
        step: Its training step.
        keep: How many copies stay.

    Raises:
        OSError: The copy cannot be written.
    """
    link_or_copy(path, make_directory(directory) / f"step-{step:09}.keras")
    for old in sorted(directory.glob("step-*.keras"))[:-keep]:
        old.unlink()


def _seeds(model: keras.Model) -> list[Any]:
    return [variable for variable in model.variables if variable.name == _SEED_NAME]


def _numbers(variable: Any) -> Any:
    return ops.convert_to_numpy(variable).tolist()
