"""What 8 bits do to values: the measure by which layers are ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

_STEPS = 255
RANKED_PICTURES = 8
"""Pictures that are enough for a ranking."""


def to_8_bits(values: np.ndarray) -> np.ndarray:
    """Returns values rounded to 256 steps from the least to the largest, zero among them."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    step = (high - low) / _STEPS
    return np.round(values / step) * step if step else values


def channel_error(exact: np.ndarray, rounded: np.ndarray, channels: int) -> float:
    """Returns the mean over channels of the error's power, in parts of the channel's own.

    One scale for all channels loses the small ones beside a large one, which the error of all
    together does not show.

    Args:
        exact: Values.
        rounded: What became of them.
        channels: Their axis.
    """
    others = tuple(axis for axis in range(exact.ndim) if axis != channels % exact.ndim)
    power = np.mean(np.square(exact, dtype="float64"), axis=others)
    noise = np.mean(np.square(rounded - exact, dtype="float64"), axis=others)
    used = power > 0
    return float(np.mean(noise[used] / power[used])) if used.any() else 0.0


def layer_errors(
    tensors: Mapping[str, tuple[str, ...]],
    pictures: Iterable[Mapping[str, np.ndarray]],
    channels: int,
) -> dict[str, float]:
    """Returns by layer the largest error of what it takes and gives.

    Args:
        tensors: Names of its input and output, by layer.
        pictures: For each picture the tensors of the network in float, by name.
        channels: Their axis of channels.
    """
    errors: dict[str, float] = {}
    for values in pictures:
        for name, value in values.items():
            errors[name] = errors.get(name, 0.0) + channel_error(value, to_8_bits(value), channels)
    return {layer: max(errors[name] for name in names) for layer, names in tensors.items()}
