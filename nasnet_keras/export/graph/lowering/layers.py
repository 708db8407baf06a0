"""How the layers of layer-wise networks are written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from nasnet_keras.export.graph.lowering.builder import GraphBuilder, Value
from nasnet_keras.export.graph.nodes import Concatenate, MaxPool, Pad
from nasnet_keras.layers.layerwise import ConvolutionNormRelu, PaddedConcatenate


def convolution_norm_relu(builder: GraphBuilder, layer: ConvolutionNormRelu, x: Value) -> Value:
    """Writes down the convolution, its BN and the ReLU."""
    return builder.relu(layer, builder.batch_norm(layer.bn, builder.convolution(layer.conv, x)))


def padded_concatenate(
    builder: GraphBuilder, layer: PaddedConcatenate, inputs: Sequence[Value]
) -> Value:
    """Writes down the zeros around smaller images, and the concatenation.

    Raises:
        ValueError: The sizes are not known.
    """
    sides = [builder.shape(x)[:2] for x in inputs]
    if any(None in each for each in sides):
        raise ValueError(
            f"layer {layer.name!r} pads to a size that is not known: build the network with an "
            "input_shape"
        )
    known = [cast("tuple[int, int]", tuple(each)) for each in sides]
    largest = tuple(max(each) for each in zip(*known, strict=True))
    padded = []
    for x, each in zip(inputs, known, strict=True):
        totals = [most - side for most, side in zip(largest, each, strict=True)]
        if any(totals):
            before = tuple(total // 2 for total in totals)
            after = tuple(total - total // 2 for total in totals)
            x = builder.add(Pad, f"{layer.name}/padded", x, before=before, after=after)
        padded.append(x)
    return builder.add(Concatenate, layer.name, *padded)


def max_pooling(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down a maximum pool."""
    window = {"window": tuple(layer.pool_size), "strides": tuple(layer.strides)}
    return builder.add(MaxPool, layer.name, x, **window, padding=layer.padding)
