"""A batch in parts: what the backends' training steps share."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.layers import DropPathSchedule


def split_into_parts(data: Any, parts: int) -> Any:
    """Returns a batch with an axis for its parts.

    Part `i` has the rows `i, i + parts, ...`: each device of a batch that is spread over devices
    holds its shard of every part.

    Args:
        data: Tensors of `batch` rows, nested at will.
        parts: How many parts.

    Returns:
        Tensors `(batch / parts, parts, ...)`; part `i` is `[:, i]`.

    Raises:
        ValueError: The batch is no multiple of `parts`.
    """

    def split(tensor: Any) -> Any:
        shape = ops.shape(tensor)
        rows = tensor.shape[0]
        if rows is not None and rows % parts:
            raise ValueError(f"accumulation_steps={parts} does not divide the batch of {rows}")
        return ops.reshape(tensor, (shape[0] // parts, parts, *shape[1:]))

    return keras.tree.map_structure(lambda x: None if x is None else split(x), data)


def part_of(data: Any, number: Any) -> Any:
    """Returns a part of what `split_into_parts` returned."""
    return keras.tree.map_structure(lambda x: None if x is None else x[:, number], data)


def step_counters(model: keras.Model) -> list[Any]:
    """Returns the counters of training steps, which every call of the model advances."""
    return [layer.step for layer in model.layers if isinstance(layer, DropPathSchedule)]


def loss_tracker(model: keras.Model) -> keras.metrics.Metric:
    """Returns the metric in which Keras keeps the mean loss."""
    return next(metric for metric in model.metrics if metric.name == "loss")
