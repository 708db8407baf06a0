"""People's own callbacks, as a run that may be cut anywhere calls them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from nasnet_keras.text.plain_text import line
from nasnet_keras.training.callbacks.callback_state import callback_names, get_state, set_state
from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.callbacks.stopping import last_good
from nasnet_keras.training.run import Run


class CallbackError(RuntimeError):
    """A user's callback raised an error: its name, what it said, the last good checkpoint."""


class UserCallbacks(StepCallback):
    """Calls callbacks as one uninterrupted `Model.fit` would, however often the run is cut.

    Each process calls `on_train_begin` and `on_train_end` once. An epoch that is cut in two is
    ended once, and its batches are counted on. A callback that sets `model.stop_training` ends the
    run: it is saved as complete, and scored.

    Args:
        run: The run.
        callbacks: The callbacks, in the order in which they are called.
        states: What `states` returned when the run was saved.

    Raises:
        CallbackError: Out of `Model.fit`: one of them raised an error.
    """

    def __init__(
        self,
        run: Run,
        callbacks: Sequence[keras.callbacks.Callback],
        states: Mapping[str, Any],
    ) -> None:
        super().__init__(run)
        self.callbacks = dict(zip(callback_names(callbacks), callbacks, strict=True))
        self._states = dict(states)
        self._began = False
        self._logs: dict[str, Any] = {}

    def states(self) -> dict[str, Any]:
        """Returns what the callbacks remember, by name, as JSON can hold it."""
        found = {}
        for name, callback in self.callbacks.items():
            try:
                state = get_state(callback)
                json.dumps(state)
            except Exception as error:
                raise self._error(name, "state_dict", error) from error
            if state is not None:
                found[name] = state
        return found

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        for callback in self.callbacks.values():
            callback.set_model(self.model)
        if self._began:
            return
        self._began = True
        length = self.run.length
        epochs = -(-length.total_steps // length.epoch_steps)
        for callback in self.callbacks.values():
            callback.set_params({"epochs": epochs, "steps": length.epoch_steps, "verbose": 0})
        self._call("on_train_begin")
        if self.run.first_step:
            self._say_what_is_new()

    def _say_what_is_new(self) -> None:
        new = [name for name in self.callbacks if name not in self._states]
        if new:
            self.run.say(f"nothing was saved of {', '.join(new)}: anew from here on")
        gone = [name for name in self._states if name not in self.callbacks]
        if gone:
            self.run.say(f"the run had {', '.join(gone)} and goes on without")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Keras counts the batches of each call of `fit` from 0.
        self._done = self.step % self.run.length.epoch_steps
        if not self._done:
            self._restore()
        self._call("on_epoch_begin", epoch)
        # What was saved within an epoch has seen its beginning.
        self._restore()

    def _restore(self) -> None:
        states, self._states = self._states, {}
        for name, state in states.items():
            if name in self.callbacks:
                try:
                    set_state(self.callbacks[name], state)
                except Exception as error:
                    raise self._error(name, "load_state_dict", error) from error

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._call("on_train_batch_begin", batch + self._done)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.callbacks:
            numbers = {name: float(value) for name, value in sorted((logs or {}).items())}
            self._call("on_train_batch_end", batch + self._done, numbers)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.epoch_is_complete:
            return
        self._call("on_epoch_end", epoch, logs)
        # Of many workers the chief alone evaluates, and all end after the same step.
        if self.callbacks and self.run.distribution.agree_to_stop(self.run.stop.early):
            self.run.stop.early = self.model.stop_training = True
        self._logs = dict(logs or {})

    def end(self) -> None:
        """Says to the callbacks that the training is over, or that the process goes."""
        if self._began:
            self._call("on_train_end", self._logs)

    def _call(self, hook: str, *arguments: Any) -> None:
        """Calls a hook of each; notes who asks for the end of the run."""
        # Not `self.model`, which on JAX brings all variables up to date, after each step.
        model = self._model
        asked, model.stop_training = model.stop_training, False
        for name, callback in self.callbacks.items():
            try:
                getattr(callback, hook)(*arguments)
            except Exception as error:
                raise self._error(name, hook, error) from error
            if model.stop_training and not self.run.stop.early:
                self.run.stop.early = True
                self.run.say(f"{name} ends the run")
        model.stop_training = model.stop_training or asked

    def _error(self, name: str, hook: str, error: Exception) -> CallbackError:
        said = line(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        return CallbackError(f"callback {name}, {hook}: {said}; {last_good(self.run)}")
