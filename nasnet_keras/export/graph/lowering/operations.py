"""How the operations of a cell are written down, a function a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasnet_keras.export.graph.lowering.builder import GraphBuilder, Value, scope
from nasnet_keras.export.graph.nodes import (
    Affine,
    AveragePool,
    Concatenate,
    MaxPool,
    Pad,
    Shift,
    Subsample,
)
from nasnet_keras.export.graph.shapes import same_padding
from nasnet_keras.layers import (
    Convolution,
    FactorizedConv,
    FactorizedReduction,
    Identity,
    Pooling,
    SeparableConv,
)
from nasnet_keras.layers.convolution import BottleneckOperation
from nasnet_keras.layers.network_layer import NetworkLayer


def separable_conv(builder: GraphBuilder, layer: SeparableConv, x: Value) -> Value:
    """Writes down ReLU-depthwise-pointwise-BN, each time."""
    for number, (conv, bn) in enumerate(zip(layer.convs, layer.bns, strict=True)):
        x = builder.relu_convolution_norm(layer, conv, bn, x)
        if number == 0 and layer.dilation > 1:
            x = _subsample(builder, layer, x)
    return builder.clip(layer, x)


def convolution(builder: GraphBuilder, layer: Convolution, x: Value) -> Value:
    """Writes down ReLU, the convolution, BN; and the bottleneck around them."""
    x = _squeeze(builder, layer, x)
    x = builder.relu_convolution_norm(layer, layer.conv, layer.bn, x)
    if layer.dilation > 1:
        x = _subsample(builder, layer, x)
    return _unsqueeze(builder, layer, x)


def factorized_conv(builder: GraphBuilder, layer: FactorizedConv, x: Value) -> Value:
    """Writes down both halves, and the bottleneck around them."""
    x = _squeeze(builder, layer, x)
    x = builder.relu_convolution_norm(layer, layer.row_conv, layer.row_bn, x)
    x = builder.relu_convolution_norm(layer, layer.column_conv, layer.column_bn, x)
    return _unsqueeze(builder, layer, x)


def identity(builder: GraphBuilder, layer: Identity, x: Value) -> Value:
    """Writes down the projection, or nothing."""
    if not layer.projects:
        return builder.clip(layer, x, minimum=0.0)
    return builder.clip(layer, builder.relu_convolution_norm(layer, layer.conv, layer.bn, x))


def pooling(builder: GraphBuilder, layer: Pooling, x: Value) -> Value:
    """Writes down the pool, with the padding that it counts, and the projection."""
    name = scope(layer)
    if layer.bounded_activation:
        x = builder.relu(layer, x)
    if layer.counts_padding:
        x = _pad_as_same(builder, layer, x)
    kind = AveragePool if layer.kind == "avg_pool" else MaxPool
    negative = Affine, f"{name}/negative"
    minus = {"scale": np.full(builder.channels(x), -1.0)}
    # The minimum is the maximum of the negative.
    if layer.kind == "min_pool":
        x = builder.add(*negative, x, **minus)
    window: dict[str, Any] = {
        "window": (layer.kernel, layer.kernel),
        "strides": (layer.strides, layer.strides),
        "padding": "valid" if layer.counts_padding else "same",
    }
    x = builder.add(kind, f"{name}/pool", x, **window)
    if layer.kind == "min_pool":
        x = builder.add(*negative, x, **minus)
    if layer.projects:
        x = builder.batch_norm(layer.bn, builder.convolution(layer.conv, x))
    return builder.clip(layer, x)


def factorized_reduction(builder: GraphBuilder, layer: FactorizedReduction, x: Value) -> Value:
    """Writes down both paths and their BN."""
    name = scope(layer)
    if layer.activation:
        x = builder.relu(layer, x)
    if layer.strides == 1:
        return builder.batch_norm(layer.path_bn, builder.convolution(layer.path_conv, x))
    shifted = builder.add(Shift, f"{name}/shifted", x, by=(1, 1))
    first = builder.convolution(layer.path1_conv, x)
    second = builder.convolution(layer.path2_conv, shifted)
    both = builder.add(Concatenate, f"{name}/paths", first, second)
    return builder.batch_norm(layer.final_path_bn, both)


def _squeeze(builder: GraphBuilder, layer: BottleneckOperation, x: Value) -> Value:
    if not layer.squeezes:
        return x
    return builder.relu_convolution_norm(layer, layer.pre_conv, layer.pre_bn, x)


def _unsqueeze(builder: GraphBuilder, layer: BottleneckOperation, x: Value) -> Value:
    if layer.squeezes:
        x = builder.relu_convolution_norm(layer, layer.post_conv, layer.post_bn, x)
    return builder.clip(layer, x)


def _subsample(builder: GraphBuilder, layer: NetworkLayer, x: Value) -> Value:
    stride = getattr(layer, "strides", 1)
    if stride == 1:
        return x
    return builder.add(Subsample, f"{scope(layer)}/subsampled", x, strides=(stride, stride))


def _pad_as_same(builder: GraphBuilder, layer: Pooling, x: Value) -> Value:
    """Pads with zeros as a SAME pool would."""
    sides = builder.shape(x)[:2]
    if None in sides:
        raise ValueError(
            f"padding={layer.padding!r} of {scope(layer)!r} needs a fixed input size: build the "
            "network with an input_shape"
        )
    pads = [same_padding(size, layer.kernel, layer.strides) for size in sides if size is not None]
    before, after = zip(*pads, strict=True)
    return builder.add(Pad, f"{scope(layer)}/padded", x, before=before, after=after)
