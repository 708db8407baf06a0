"""What people's own callbacks remember, as a checkpoint keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

# What Keras's callbacks remember from epoch to epoch.
_REMEMBERED = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ModelCheckpoint: ("best",),
}


def callback_names(callbacks: Sequence[keras.callbacks.Callback]) -> list[str]:
    """Returns a name for each: its class's, from the second of a class on with its number."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return names


def get_state(callback: Any) -> Any:
    """Returns what a callback remembers, as JSON can hold it; `None` where it cannot say.

    That is what its `state_dict()` returns, or the known attributes of Keras's own.
    """
    if _has_methods(callback):
        return callback.state_dict()
    names = _remembered(callback)
    return {name: _plain(getattr(callback, name)) for name in names} if names else None


def set_state(callback: Any, state: Any) -> None:
    """Gives a callback what `get_state` returned, maybe in another process."""
    if _has_methods(callback):
        callback.load_state_dict(state)
        return
    for name in _remembered(callback):
        setattr(callback, name, state[name])


def _has_methods(callback: Any) -> bool:
    return hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict")


def _remembered(callback: Any) -> tuple[str, ...]:
    return next((names for kind, names in _REMEMBERED.items() if isinstance(callback, kind)), ())


def _plain(value: Any) -> Any:
    return None if value is None else np.asarray(keras.ops.convert_to_numpy(value)).item()
