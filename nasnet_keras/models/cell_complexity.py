"""What a cell costs: parameters and multiply-adds from closed forms, operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasnet_keras.genotypes import OPERATIONS, CellGenotype, OperationSpec

Sides = tuple[int, int]
"""Height and width of an image, in pixels."""


@dataclass
class Cost:
    """Running totals.

    Attributes:
        trainable: Kernels, biases, scales and offsets.
        statistics: BN's moving means and variances.
        multiply_adds: Of convolutions and dense layers, for one image.
    """

    trainable: int = 0
    statistics: int = 0
    multiply_adds: int = 0

    def add_convolution(self, kernel: Sides, channels: int, filters: int, sides: Sides) -> None:
        """Adds a convolution without bias; `sides` are its output's.

        A depthwise convolution is one with one filter for its channels.
        """
        weights = kernel[0] * kernel[1] * channels * filters
        self.trainable += weights
        self.multiply_adds += weights * sides[0] * sides[1]

    def add_batch_norm(self, channels: int) -> None:
        """Adds a batch normalization: scale and offset, mean and variance."""
        self.trainable += 2 * channels
        self.statistics += 2 * channels

    def add_pointwise(self, channels: int, filters: int, sides: Sides) -> None:
        """Adds a 1x1 convolution and its BN; `sides` are its output's."""
        self.add_convolution((1, 1), channels, filters, sides)
        self.add_batch_norm(filters)

    def add_dense(self, features: int, classes: int) -> None:
        """Adds a dense layer with bias."""
        self.trainable += (features + 1) * classes
        self.multiply_adds += features * classes


def halved(sides: Sides, strides: int) -> Sides:
    """Returns the sides after a SAME window: `ceil(side / strides)`."""
    return -(-sides[0] // strides), -(-sides[1] // strides)


def add_cell(
    cost: Cost,
    genotype: CellGenotype,
    filters: int,
    strides: int,
    bottleneck: bool,
    channels: Sequence[int],
    sides: Sides,
    previous_reduction: int = 1,
) -> list[int]:
    """Adds a cell, as `nasnet_keras.layers.Cell` computes it.

    Args:
        cost: The totals to add to.
        genotype: The cell.
        filters: F, the channels of every operation.
        strides: 1 or 2.
        bottleneck: AmoebaNet's bottleneck around plain convolutions.
        channels: Channels of each input: h_i and h_{i-1}, or the four states of NASNet-B; one
            number for the first cell of a network.
        sides: Height and width of h_i, in pixels.
        previous_reduction: How many times larger h_{i-1} is than h_i, 1 or 2.

    Returns:
        Channels of each state that leaves the cell.

    Raises:
        ValueError: What a kind of operation or a combination costs is not known.
    """
    if len(channels) == 1 or genotype.num_inputs == 2:
        cost.add_pointwise(channels[0], filters, sides)
    if genotype.num_inputs == 4:
        # The states are read as they are; the stem's one image stands for all four.
        widths = [filters] * 4 if len(channels) == 1 else list(channels)
    elif len(channels) == 1:
        # The first cell of a network reads the stem's output raw as h_{i-1}.
        widths = [filters, channels[0]]
    else:
        widths = [filters, filters]
        if previous_reduction == 2 or channels[1] != filters:
            # The factorized reduction's two halves are together one 1x1 convolution.
            cost.add_pointwise(channels[1], filters, sides)

    for block in genotype.blocks:
        for branch in block.branches:
            source = int(branch.input)
            reads_input = source < genotype.num_inputs
            _add_operation(
                cost,
                OPERATIONS[branch.operation],
                widths[source],
                filters,
                strides if reads_input else 1,
                bottleneck,
                sides if reads_input else halved(sides, strides),
            )
        match block.combine:
            case "add":
                widths.append(filters)
            case "add_layer_norm" | "add_instance_norm":
                cost.trainable += 2 * filters
                widths.append(filters)
            case "concat":
                widths.append(2 * filters)
            case combine:
                raise ValueError(f"what combination {combine!r} costs is not known")

    for state in genotype.outputs:
        is_input = state < genotype.num_inputs
        if is_input and (strides == 2 or widths[state] != filters):
            cost.add_pointwise(widths[state], filters, halved(sides, strides))
            widths[state] = filters
    return [widths[state] for state in genotype.outputs]


def _add_operation(
    cost: Cost,
    operation: OperationSpec,
    channels: int,
    filters: int,
    strides: int,
    bottleneck: bool,
    sides: Sides,
) -> None:
    """Adds one operation; `sides` are its input's."""
    after = halved(sides, strides)
    match operation.kind:
        case "separable":
            _add_separable(cost, operation, channels, filters, strides, sides)
        case "convolution" | "factorized":
            width = _bottleneck_width(operation, filters) if bottleneck else 0
            if width:
                cost.add_pointwise(channels, width, sides)
                _add_window(cost, operation, width, width, strides, sides)
                cost.add_pointwise(width, filters, after)
            else:
                _add_window(cost, operation, channels, filters, strides, sides)
        case "identity":
            if channels != filters or strides == 2:
                cost.add_pointwise(channels, filters, after)
        case "max_pool" | "avg_pool" | "min_pool":
            if channels != filters:
                cost.add_pointwise(channels, filters, after)
        case kind:
            raise ValueError(f"what operations of kind {kind!r} cost is not known")


def _add_separable(
    cost: Cost, operation: OperationSpec, channels: int, filters: int, strides: int, sides: Sides
) -> None:
    kernel = (operation.kernel, operation.kernel)
    after = halved(sides, strides)
    for number in range(operation.repeats):
        # A dilated one is computed at every pixel before every second one is kept.
        computed = sides if number == 0 and operation.dilation > 1 else after
        cost.add_convolution(kernel, channels, 1, computed)
        cost.add_pointwise(channels, filters, computed)
        channels = filters


def _add_window(
    cost: Cost, operation: OperationSpec, channels: int, filters: int, strides: int, sides: Sides
) -> None:
    """Adds a plain convolution, or both halves of a factorized one."""
    kernel = operation.kernel
    after = halved(sides, strides)
    if operation.kind == "factorized":
        # The first half has stride (1, s), so it keeps the full height.
        cost.add_convolution((1, kernel), channels, filters, (sides[0], after[1]))
        cost.add_batch_norm(filters)
        cost.add_convolution((kernel, 1), filters, filters, after)
    else:
        # As the separable ones: dilated means every pixel.
        computed = sides if operation.dilation > 1 else after
        cost.add_convolution((kernel, kernel), channels, filters, computed)
    cost.add_batch_norm(filters)


def _bottleneck_width(operation: OperationSpec, filters: int) -> int:
    """Returns the width inside AmoebaNet's bottleneck, 0 for none (`layers.convolution`)."""
    if operation.kernel == 1:
        return 0
    if operation.kind == "factorized" and operation.kernel == 3:
        return 3 * filters // 8
    return filters // 4
