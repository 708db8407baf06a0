"""The sizes of a layer-wise network's layers, and what it costs. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasnet_keras.genotypes import ConvolutionLayer, Layer, LayerwiseGenotype
from nasnet_keras.models.cell_complexity import Cost, Sides


@dataclass(frozen=True)
class PlannedLayer:
    """One layer of a network.

    Attributes:
        layer: The layer.
        in_channels: Channels of its concatenated inputs.
        in_sides: Their height and width, those of the largest.
        channels: Channels of its output.
        sides: Its height and width.
    """

    layer: Layer
    in_channels: int
    in_sides: Sides
    channels: int
    sides: Sides


def plan_layers(genotype: LayerwiseGenotype, image: Sides, channels: int) -> list[PlannedLayer]:
    """Returns the sizes of all layers.

    Args:
        genotype: The layers.
        image: Height and width of the image, in pixels.
        channels: Its channels.
    """
    planned: list[PlannedLayer] = []
    for layer in genotype.layers:
        read = [planned[i] for i in layer.inputs]
        in_channels = sum(each.channels for each in read) if read else channels
        in_sides = largest_sides([each.sides for each in read] or [image])
        filters = layer.filters if isinstance(layer, ConvolutionLayer) else in_channels
        height, width = (-(-n // s) for n, s in zip(in_sides, layer.strides, strict=True))
        planned.append(PlannedLayer(layer, in_channels, in_sides, filters, (height, width)))
    return planned


def largest_sides(sides: Sequence[Sides]) -> Sides:
    """Returns the height and the width to which images are padded when they are concatenated."""
    heights, widths = zip(*sides, strict=True)
    return max(heights), max(widths)


def size_problem(genotype: LayerwiseGenotype, image: Sides) -> str:
    """Says which layer an image is too small for; an empty string if there is none."""
    for index, planned in enumerate(plan_layers(genotype, image, 1)):
        strides = planned.layer.strides
        for name, side, stride in zip(("height", "width"), planned.in_sides, strides, strict=True):
            if side < stride:
                return f"layer {index} has {side} of the {stride} pixels in {name} of a stride"
    return ""


def layerwise_cost(
    genotype: LayerwiseGenotype, image: Sides, channels: int, classes: int | None
) -> Cost:
    """Returns what a network costs; `classes=None`: without the classifier."""
    cost = Cost()
    planned = plan_layers(genotype, image, channels)
    for each in planned:
        layer = each.layer
        if isinstance(layer, ConvolutionLayer):
            cost.add_convolution(layer.window, each.in_channels, layer.filters, each.sides)
            cost.add_batch_norm(layer.filters)
    if classes is not None:
        cost.add_dense(sum(planned[i].channels for i in genotype.outputs), classes)
    return cost
