"""The cell: any genotype with two or four inputs, as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nasnet_keras.genotypes import OPERATIONS, CellGenotype
from nasnet_keras.layers.combine import Combine
from nasnet_keras.layers.drop_path import DropPath
from nasnet_keras.layers.factorized_reduction import FactorizedReduction
from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import NetworkLayer
from nasnet_keras.layers.normalized_convolution import convolve_and_normalize
from nasnet_keras.layers.operations import make_operation
from nasnet_keras.layers.rematerialization import rematerialize


@keras.saving.register_keras_serializable(PACKAGE)
class Cell(NetworkLayer):
    """A convolutional cell (slim `NasNetABaseCell.__call__`).

    A cell with two inputs takes `[h_i, h_{i-1}]`, or `[h_i]` alone for the first cell of a network,
    where h_{i-1} is the raw h_i. h_i goes through ReLU-1x1-BN; h_{i-1} through a factorized
    reduction where its resolution is higher, else through ReLU-1x1-BN where its width differs.

    A cell with four inputs (NASNet-B) takes `[h_0, h_1, h_2, h_3]` as they are and returns four
    states; an operation whose input has another width projects it. The first cell of a network is
    given one image, which goes through ReLU-1x1-BN and stands for all four. The paper is silent on
    this wiring; of those tried, it comes closest to the published multiply-adds.

    Input shape: `(batch, height, width, channels)` each, or channels first.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), n * filters)`, n states
    concatenated (one `"concat"` block counts twice); or a list of states.

    Args:
        genotype: The cell, or its `to_dict()`.
        filters: F, the channels of every operation.
        strides: 1, or 2 for a reduction: operations that read the cell's inputs are strided.
        previous_reduction: How many times larger h_{i-1} is than h_i, 1 or 2. It follows from the
            strides of the cells between, not from static shapes, which may be unknown.
        bottleneck: AmoebaNet's bottleneck around plain convolutions.
        drop_path: Arguments of `DropPath`, or `None` for none. The cell is then called with the
            training step as `step`.
        rematerialize: Whether training keeps only the cell's inputs and computes the rest anew for
            the gradient: much less memory, about a third more time.
        padding: Whose pools: `"slim"`, `"timm"` or `"keras_applications"`, see `Pooling`.
        **kwargs: See `NetworkLayer`.

    Raises:
        ValueError: The genotype is malformed, or a value is out of range.
    """

    def __init__(
        self,
        genotype: CellGenotype | dict[str, Any],
        filters: int,
        strides: int = 1,
        previous_reduction: int = 1,
        bottleneck: bool = False,
        drop_path: dict[str, Any] | None = None,
        rematerialize: bool = False,
        padding: str = "slim",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(genotype, CellGenotype):
            genotype = CellGenotype.from_dict(genotype)
        if previous_reduction not in (1, 2):
            raise ValueError(f"previous_reduction is 1 or 2, got {previous_reduction!r}")
        self.genotype = genotype
        self.filters = filters
        self.strides = strides
        self.previous_reduction = previous_reduction
        self.bottleneck = bottleneck
        self.rematerialize = rematerialize
        self.padding = padding
        self.drop_path_settings = drop_path
        self.drop_path = DropPath(**drop_path, name="drop_path") if drop_path else None
        # Made in `build`, where the inputs ask for them.
        self.base_conv = self.base_bn = self.previous = self.prev_conv = self.prev_bn = None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "genotype": self.genotype.to_dict(),
            "filters": self.filters,
            "strides": self.strides,
            "previous_reduction": self.previous_reduction,
            "bottleneck": self.bottleneck,
            "drop_path": self.drop_path_settings,
            "rematerialize": self.rematerialize,
            "padding": self.padding,
        }

    # Building. Only channels matter to it; `widths` are the channels of each state so far.

    def build(self, inputs_shape: Any, step_shape: Any = None) -> None:
        settings = self.shared_settings()
        widths = self._build_inputs([shape[self.channel_axis] for shape in inputs_shape], settings)
        # Flat lists: older versions of Keras do not save layers in nested ones.
        self.operations: list[keras.layers.Layer] = []
        self.combiners: list[Combine | None] = []
        for number, block in enumerate(self.genotype.blocks):
            with keras.name_scope(f"comb_iter_{number}"):
                for side, branch in zip(("left", "right"), block.branches, strict=True):
                    source = int(branch.input)
                    layer = make_operation(
                        branch.operation,
                        self.filters,
                        self.strides if source < self.genotype.num_inputs else 1,
                        self.bottleneck,
                        self.padding,
                        name=side,
                        **settings,
                    )
                    layer.build(self.channels_shape(widths[source]))
                    self.operations.append(layer)
                # A plain addition needs no layer, of which a network would have a hundred.
                combiner = None
                if block.combine != "add" or self.bounded_activation:
                    combiner = Combine(block.combine, name="combine", **settings)
                    combiner.build([self.channels_shape(self.filters)] * 2)
            self.combiners.append(combiner)
            widths.append(self.filters * (2 if block.combine == "concat" else 1))
        self._build_outputs(widths, settings)
        self.output_widths = [widths[i] for i in self.genotype.outputs]
        self.built = True

    def _build_inputs(self, channels: list[int], settings: dict[str, Any]) -> list[int]:
        """Builds what brings the inputs to `filters`; returns their widths after it."""
        expected = self.genotype.num_inputs
        if len(channels) not in (1, expected):
            raise ValueError(f"{self.name}: a cell with {expected} inputs got {len(channels)}")
        if expected == 2 or len(channels) == 1:
            self.base_conv = self.convolution(channels[0], self.filters, 1, "1x1")
            self.base_bn = self.batch_norm(self.filters, "beginning_bn")
        if len(channels) == 1:
            return [self.filters, channels[0]] if expected == 2 else [self.filters] * expected
        if expected == 4:
            return list(channels)
        if self.previous_reduction == 2:
            self.previous = FactorizedReduction(
                self.filters, owner_scope=True, name="previous", **settings
            )
            self.previous.build(self.channels_shape(channels[1]))
        elif channels[1] != self.filters:
            self.prev_conv = self.convolution(channels[1], self.filters, 1, "prev_1x1")
            self.prev_bn = self.batch_norm(self.filters, "prev_bn")
        return [self.filters, self.filters]

    def _build_outputs(self, widths: list[int], settings: dict[str, Any]) -> None:
        """Builds what brings a cell input that is part of the output to its size and width."""
        self.output_reductions: dict[str, FactorizedReduction] = {}
        for state in self.genotype.outputs:
            is_input = state < self.genotype.num_inputs
            if is_input and (self.strides == 2 or widths[state] != self.filters):
                with keras.name_scope("cell_output"):
                    reduction = FactorizedReduction(
                        self.filters,
                        self.strides,
                        activation=False,
                        name=f"reduction_{state}",
                        **settings,
                    )
                    reduction.build(self.channels_shape(widths[state]))
                self.output_reductions[str(state)] = reduction
                widths[state] = self.filters

    def compute_output_shape(self, inputs_shape: Any, step_shape: Any = None) -> Any:
        if not self.built:
            self.build(inputs_shape)
        first = inputs_shape[0]
        if self.genotype.states:
            return [self.image_shape(first, self.strides, width) for width in self.output_widths]
        return self.image_shape(first, self.strides, sum(self.output_widths))

    # Calling.

    def call(self, inputs: Sequence[Any], step: Any = None, training: bool | None = None) -> Any:
        if not (self.rematerialize and training):
            return self._forward(inputs, step, training)

        def forward(step: Any, *inputs: Any) -> Any:
            return self._forward(inputs, step, training)

        return rematerialize(self, forward, step, *inputs)

    def _forward(self, inputs: Sequence[Any], step: Any, training: bool | None) -> Any:
        states = self._adjust_inputs(inputs, training)
        operations = iter(self.operations)
        for block, combiner in zip(self.genotype.blocks, self.combiners, strict=True):
            halves = []
            for branch in block.branches:
                half = next(operations)(states[int(branch.input)], training=training)
                is_identity = OPERATIONS[branch.operation].kind == "identity"
                if self.drop_path is not None and not is_identity:
                    half = self.drop_path(half, step=step, training=training)
                halves.append(half)
            states.append(combiner(halves) if combiner else halves[0] + halves[1])
        for state, reduction in self.output_reductions.items():
            states[int(state)] = reduction(states[int(state)], training=training)
        outputs = [states[i] for i in self.genotype.outputs]
        return outputs if self.genotype.states else ops.concatenate(outputs, self.channel_axis)

    def _adjust_inputs(self, inputs: Sequence[Any], training: bool | None) -> list[Any]:
        if len(inputs) == 4:
            return list(inputs)
        current = self.activate(inputs[0])
        current = convolve_and_normalize(current, self.base_conv, self.base_bn, training)
        if len(inputs) == 1:
            four = self.genotype.num_inputs == 4
            return [current] * 4 if four else [current, inputs[0]]
        previous = inputs[1]
        if self.previous is not None:
            previous = self.previous(previous, training=training)
        elif self.prev_conv is not None:
            previous = self.activate(previous)
            previous = convolve_and_normalize(previous, self.prev_conv, self.prev_bn, training)
        return [current, previous]
