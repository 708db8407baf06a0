"""What a kind of network brings along so that `train_task` can train it."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import keras

from nasnet_keras.settings import Settings
from nasnet_keras.training.callbacks.tensorboard import TensorBoardScalars
from nasnet_keras.training.curves import Panels
from nasnet_keras.training.distribution import Distribution
from nasnet_keras.training.evaluator import TrainingEvaluator
from nasnet_keras.training.optimizers.schedules import LearningRate
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions

Result = TypeVar("Result")


class Task(abc.ABC, Generic[Result]):
    """What is trained, on what, and how it is scored. The methods are called in this order.

    Attributes:
        config_type: What a run's `config.json` is read as.
        options: How the run is carried out.
        seed: Seed of everything random that has no other.
        batch_size: Images of a replica in a step.
        image_size: The side of the images, or their height and width, by the setting's name.
        steps_per_execution: Steps for each call of the backend.
        evaluate_every_epochs: Epochs between evaluations; 0: one at the end.
        score: What of an epoch's log says which checkpoint is the best; larger is better.
        panels: What the picture of the run shows.
        callbacks: The users' own; `check_callbacks` has seen them.
        distribution: Where it is trained; there once `check` has passed.
    """

    config_type: type[Settings]
    options: CommonRunOptions
    seed: int
    batch_size: int
    image_size: dict[str, Any]
    steps_per_execution: int = 1
    evaluate_every_epochs: int
    score: str
    panels: Panels
    callbacks: Sequence[keras.callbacks.Callback] = ()
    distribution: Distribution

    def check(self) -> None:
        """Refuses what can be refused without data and devices."""

    @abc.abstractmethod
    def differences(self, before: Any) -> list[str]:
        """Returns what differs from the `config.json` of the run that the directory holds."""

    @abc.abstractmethod
    def open(self, directory: Path, before: Any | None) -> tuple[RunLength, LearningRate]:
        """Opens the data; refuses other ones than those that a run began with, if one did."""

    def introduce(self, run: Run) -> None:
        """Says what there is to say about the data."""

    @abc.abstractmethod
    def build(self, run: Run) -> keras.Model:
        """Returns the network, new and compiled."""

    def start(self, run: Run, model: Any) -> None:
        """Gives the network of a new run other weights, if it starts from any; says so."""

    @abc.abstractmethod
    def write(self, run: Run) -> None:
        """Writes `config.json`, and what else describes a new run."""

    def announce(self, run: Run) -> None:
        """Says what there is to say before training."""

    @abc.abstractmethod
    def evaluator(self, run: Run) -> TrainingEvaluator[Any]:
        """Returns what evaluates the network between epochs and at the end."""

    @abc.abstractmethod
    def board(self, run: Run, evaluator: Any) -> TensorBoardScalars:
        """Returns what writes for TensorBoard."""

    @abc.abstractmethod
    def batches(self, first_step: int, worker: int | None = None) -> Any:
        """Returns the batches of a worker, by default of this one, from a step on, without end."""

    def for_shares(self, shares: int) -> Callable[[], Task[Result]]:
        """Returns what opens this task in a process that computes shares of steps.

        It can be pickled. Of the task that it returns `build`, `batches` and `data_error` are used.

        Args:
            shares: Shares of a step; `batches` takes their numbers as those of workers.

        Raises:
            NotImplementedError: This kind of training has none; its options offer no `ray`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no shares")

    @abc.abstractmethod
    def data_error(self) -> Exception | None:
        """Returns what ended the batches, if anything did: a line in place of a backend's pages."""

    def describe_step(self, step: int) -> str:
        """Returns which batch a step had, e.g. `", images 7 and 9"`."""
        return ""

    @abc.abstractmethod
    def finish(self, run: Run, evaluation: Any) -> Result:
        """Writes and says what the evaluator found at the end of the run; returns it."""
