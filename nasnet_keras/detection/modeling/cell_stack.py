"""The last cells of a network, applied to the features of each proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from nasnet_keras.layers import Cell


class CellStack(keras.layers.Layer):
    """Cells that another model built, in their order and reading what they read there.

    Input shape: `(batch, height, width, channels)`, channels last: the outputs that the first of
    the cells read, concatenated.
    Output shape: `(batch, ceil(height / 2), ceil(width / 2), output_channels)`: the last cell's
    output after a ReLU.

    Args:
        cells: The cells, built.
        reads: For each, the indices of the outputs that it reads: h_i, and h_{i-1} or `None`.
        first_output: The index of the first cell's output.
        widths: Channels of the states of each output that is part of the input, by its index, in
            the order of the input.
        bounded_activation: ReLU6 at the end, as in the network.
        **kwargs: Keras's own.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        reads: Sequence[tuple[int, int | None]],
        first_output: int,
        widths: Mapping[int, Sequence[int]],
        bounded_activation: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells = list(cells)
        self.reads = tuple(reads)
        self.first_output = first_output
        self.input_widths = tuple((index, tuple(width)) for index, width in widths.items())
        self.bounded_activation = bounded_activation
        self.output_channels = sum(self.cells[-1].output_widths)
        self.built = True

    def compute_output_shape(self, inputs_shape: Any, step_shape: Any = None) -> Any:
        batch, *sides = inputs_shape[:3]
        for cell in self.cells:
            sides = [None if side is None else -(-side // cell.strides) for side in sides]
        return (batch, *sides, self.output_channels)

    def call(self, inputs: Any, step: Any = None, training: bool | None = None) -> Any:
        outputs: dict[int, Any] = {}
        start = 0
        for index, widths in self.input_widths:
            states = []
            for width in widths:
                states.append(inputs[..., start : start + width])
                start += width
            outputs[index] = states if len(states) > 1 else states[0]
        for position, (cell, (current, previous)) in enumerate(
            zip(self.cells, self.reads, strict=True)
        ):
            first = outputs[current]
            states = first if isinstance(first, list) else [first]
            if previous is not None:
                states = [first, outputs[previous]]
            arguments = {} if cell.drop_path is None else {"step": step}
            index = self.first_output + position
            outputs[index] = cell(states, training=training, **arguments)
        last = outputs[index]
        last = ops.concatenate(last, axis=-1) if isinstance(last, list) else last
        return ops.relu6(last) if self.bounded_activation else ops.relu(last)
