"""Which of people's own callbacks a run can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import keras

from nasnet_keras.text.plain_text import shown
from nasnet_keras.text.suggestions import unknown_name

# What would change weights or learning rate beside the run, or keep what it keeps.
_REFUSED = {
    "BackupAndRestore": "the run directory keeps what the run needs to go on",
    "LearningRateScheduler": "the learning rate is that of the run",
    "ReduceLROnPlateau": "the learning rate is that of the run",
    "SwapEMAWeights": "a recipe's moving_average_decay keeps averages, which are evaluated",
}


def check_callbacks(
    callbacks: Sequence[Any], values: Collection[str], distribution: str = "none"
) -> None:
    """Refuses callbacks that a run cannot have, or that would watch nothing.

    Args:
        callbacks: The callbacks.
        values: Names of the values that epochs will have.
        distribution: How the run is spread.

    Raises:
        ValueError: One is no callback, its work would be lost when the run is cut, or it watches
            a value that is never computed.
    """
    if callbacks and distribution == "multiworker":
        raise ValueError(
            "callbacks are for one process: with distribution=multiworker each worker would have "
            "its own"
        )
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                f"callbacks are objects of keras.callbacks.Callback, got {shown(callback)}"
            )
        name = type(callback).__name__
        for refused, reason in _REFUSED.items():
            if isinstance(callback, getattr(keras.callbacks, refused)):
                raise ValueError(f"callback {name} cannot be used: {reason}")
        if getattr(callback, "restore_best_weights", False):
            raise ValueError(
                f"callback {name} cannot be used with restore_best_weights: best.keras has the "
                "best weights, with evaluate_every_epochs"
            )
        watches = getattr(callback, "save_best_only", True)
        monitor = getattr(callback, "monitor", None)
        if watches and isinstance(monitor, str) and monitor not in values:
            raise ValueError(f"callback {name}: {unknown_name('value', monitor, values)}")
