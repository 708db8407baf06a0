"""The evaluation of a network that is still being trained, between its epochs and at the end."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import keras
from keras import ops

from nasnet_keras.data.check.unreadable import UnreadableExampleError
from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from nasnet_keras.training.run import Run

Result = TypeVar("Result")
# Told after each part of an evaluation how many parts are done, and how many there are.
OnProgress = Callable[[int, int], None]


class TrainingEvaluator(abc.ABC, Generic[Result]):
    """Evaluates a network in training as often as asked, after each step once.

    Its weights, or their moving averages, are copied to a network of one replica that is compiled
    once: so evaluation takes no part in a distribution and touches nothing of the training.
    """

    _network: keras.Model | None = None
    _last: tuple[int, Result] | None = None

    @abc.abstractmethod
    def build(self, model: keras.Model) -> keras.Model:
        """Returns a network for the weights of the one in training; or that one itself."""

    @abc.abstractmethod
    def score(self, network: keras.Model, on_progress: OnProgress | None) -> Result:
        """Evaluates the network that `build` returned."""

    @abc.abstractmethod
    def summary(self, result: Result) -> dict[str, float]:
        """Returns what of a result belongs into the log of an epoch, as `evaluation_...`."""

    def evaluate(self, model: keras.Model, on_progress: OnProgress | None = None) -> Result:
        """Evaluates the network in training, unless that was done after the same step already.

        Raises:
            OSError: The evaluation split cannot be read.
            ValueError: An example of it cannot be read, or does not fit the network.
        """
        step = int(ops.convert_to_numpy(model.optimizer.iterations))
        if self._last is None or self._last[0] != step:
            with _undistributed():
                if self._network is None:
                    self._network = self.build(model)
                if self._network is not model:
                    _copy_weights(model, self._network)
                self._last = step, self.score(self._network, on_progress)
        return self._last[1]

    def logs(self, model: keras.Model, on_progress: OnProgress | None = None) -> dict[str, float]:
        """Evaluates, and returns what belongs into the log of an epoch."""
        return self.summary(self.evaluate(model, on_progress))


class _EvaluationStoppedError(Exception):
    """Somebody asked for the end of the run in the midst of an evaluation."""


class EvaluateEpochs(StepCallback):
    """Evaluates after every few epochs; the results join the logs of the epoch.

    An evaluation in which somebody asks for the end of the run is given up, for it may take longer
    than a machine that is taken away is left. The epoch is then logged without its results.

    Args:
        run: The run.
        every: Epochs between evaluations; 0: none.
        evaluator: Evaluates.
        show: Shows how far an evaluation is.
        always: None is given up or left out, because callbacks decide by what it finds.

    Attributes:
        error: An image that an evaluation could not read; it ends the training after the epoch,
            which is logged and saved as it is.
    """

    def __init__(
        self,
        run: Run,
        every: int,
        evaluator: TrainingEvaluator[Any],
        show: OnProgress,
        always: bool = False,
    ) -> None:
        super().__init__(run)
        self.every = every
        self.evaluator = evaluator
        self.show = show
        self.always = always
        self.error: UnreadableExampleError | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        model = self.model
        if logs is None or not self.every or (epoch + 1) % self.every:
            return
        if model.stop_training and not (self.always and self.epoch_is_complete):
            return
        try:
            # The run ends after its next step, upon which all workers agree.
            with contextlib.suppress(_EvaluationStoppedError):
                logs.update(self.evaluator.logs(model, self._on_progress))
        except UnreadableExampleError as error:
            self.error = error
            model.stop_training = True

    def _on_progress(self, done: int, total: int) -> None:
        self.show(done, total)
        if self.run.stop.signal is not None and not self.always:
            raise _EvaluationStoppedError


@contextlib.contextmanager
def _undistributed() -> Iterator[None]:
    """Within the block, Keras spreads nothing over devices (a global setting, on JAX)."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _copy_weights(trained: keras.Model, network: keras.Model) -> None:
    values: dict[str, Any] = {weight.path: weight for weight in trained.weights}
    values |= averaged_weights(trained)
    for weight in network.weights:
        weight.assign(ops.convert_to_numpy(values[weight.path]))
