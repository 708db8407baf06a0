"""A concatenation of images of different sizes (Zoph and Le 2017, section 3.3)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import Shape


@keras.saving.register_keras_serializable(PACKAGE)
class PaddedConcatenate(keras.layers.Layer):
    """Concatenates images along the channels, smaller ones padded with zeros to the largest size.

    The paper does not say where the zeros go: here evenly to both sides, an odd one to the end.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's setting.
        **kwargs: Keras's own.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or keras.config.image_data_format()
        channels_last = self.data_format == "channels_last"
        self.channel_axis = 3 if channels_last else 1
        self.side_axes = (1, 2) if channels_last else (2, 3)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        result = list(input_shape[0])
        for axis in self.side_axes:
            sides = [shape[axis] for shape in input_shape]
            result[axis] = None if None in sides else max(sides)
        result[self.channel_axis] = sum(shape[self.channel_axis] for shape in input_shape)
        return tuple(result)

    def call(self, inputs: Sequence[Any]) -> Any:
        shapes = [ops.shape(x) for x in inputs]
        largest = {axis: _largest([shape[axis] for shape in shapes]) for axis in self.side_axes}
        padded = []
        for x, shape in zip(inputs, shapes, strict=True):
            pads: list[tuple[Any, Any]] = [(0, 0)] * 4
            for axis in self.side_axes:
                total = largest[axis] - shape[axis]
                pads[axis] = (total // 2, total - total // 2)
            padded.append(x if pads == [(0, 0)] * 4 else ops.pad(x, pads))
        return ops.concatenate(padded, self.channel_axis)


def _largest(sides: Sequence[Any]) -> Any:
    known = all(isinstance(side, int) for side in sides)
    return max(sides) if known else functools.reduce(ops.maximum, sides)
