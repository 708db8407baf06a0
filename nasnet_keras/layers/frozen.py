"""Which variables are trained, set one by one and remembered in saved networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

_COUNTED = ("moving_mean", "moving_variance")


def learned_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Returns the variables that training may change by gradients, frozen or not.

    BN's statistics, drop path's step and the states of random generators are not among them.

    Args:
        layer: A layer or a model.
    """
    return [
        variable
        for variable in layer.weights
        if variable.name not in _COUNTED
        and "int" not in keras.backend.standardize_dtype(variable.dtype)
    ]


def set_learned(layer: keras.layers.Layer, chosen: Callable[[keras.Variable], bool]) -> None:
    """Freezes all variables of a layer but those chosen.

    A part with no chosen variable is frozen as a layer: a BN then normalizes by its statistics and
    leaves them alone, also in training.

    Args:
        layer: A layer or a model, built.
        chosen: Says of each of its `learned_variables` whether it is trained.
    """
    parts = list(layer._flatten_layers())
    for part in parts:
        # One by one: on TensorFlow, Keras drops an assignment that changes nothing in the layer
        # itself, and its parts stay as they are.
        part.trainable = True
    for variable in learned_variables(layer):
        variable.trainable = chosen(variable)
    for part in parts:
        learned = learned_variables(part)
        if learned and not any(variable.trainable for variable in learned):
            part.trainable = False


class RemembersFrozen(keras.layers.Layer):
    """A layer with parts, saved with the paths of its frozen variables.

    Keras saves only whether the layer itself is trained, and would thaw its parts at loading.
    """

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns what the layer was built with, and its frozen variables."""
        config = super().get_build_config()
        frozen = [self._inside(v) for v in learned_variables(self) if not v.trainable]
        return {**config, "frozen": frozen} if config and frozen else config

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer and freezes what was frozen."""
        super().build_from_config(config)
        frozen = set(config.get("frozen", ()))
        if frozen:
            set_learned(self, lambda variable: self._inside(variable) not in frozen)

    def _inside(self, variable: keras.Variable) -> str:
        return variable.path.removeprefix(f"{self.path}/")
