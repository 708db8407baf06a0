"""How Keras's own layers are written down, as far as our networks and their inputs have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from nasnet_keras.export.graph.lowering.builder import GraphBuilder, Value, array, scope
from nasnet_keras.export.graph.nodes import (
    Affine,
    Concatenate,
    Dense,
    GlobalAveragePool,
    GlobalMaxPool,
    Softmax,
)


def same(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down nothing: dropout and casts."""
    return x


def convolution(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down a convolution."""
    return builder.convolution(layer, x)


def batch_normalization(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down a BN over the channels."""
    return builder.batch_norm(layer, x)


def activation(builder: GraphBuilder, layer: keras.layers.Activation, x: Value) -> Value:
    """Writes down an activation."""
    return builder.activation(layer.name, layer.activation, x)


def softmax(builder: GraphBuilder, operation: Any, x: Value) -> Value:
    """Writes down `keras.ops.softmax`."""
    last = len(builder.shape(x))
    if operation.axis not in (-1, last):
        raise ValueError(f"a graph's softmax is over the last axis, got axis {operation.axis}")
    return builder.add(Softmax, operation.name, x)


def dense(builder: GraphBuilder, layer: keras.layers.Dense, x: Value) -> Value:
    """Writes down a dense layer."""
    bias = array(layer.bias) if layer.use_bias else None
    x = builder.add(Dense, scope(layer), x, kernel=array(layer.kernel), bias=bias)
    return builder.activation(f"{scope(layer)}/activation", layer.activation, x)


def concatenate(
    builder: GraphBuilder, layer: keras.layers.Concatenate, inputs: Sequence[Value]
) -> Value:
    """Writes down a concatenation of channels."""
    if layer.axis not in (-1, 3):
        raise ValueError(f"layer {layer.name!r} concatenates along axis {layer.axis}, not channels")
    return builder.add(Concatenate, layer.name, *inputs)


def global_average(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down a mean over all pixels."""
    return _global(builder, layer, x, GlobalAveragePool)


def global_maximum(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    """Writes down a maximum over all pixels."""
    return _global(builder, layer, x, GlobalMaxPool)


def rescaling(builder: GraphBuilder, layer: keras.layers.Rescaling, x: Value) -> Value:
    """Writes down a scale and an offset."""
    channels = builder.channels(x)
    scale, offset = (
        np.broadcast_to(np.asarray(value, np.float64), channels).copy()
        for value in (layer.scale, layer.offset)
    )
    return builder.add(Affine, layer.name, x, scale=scale, offset=offset)


def _global(builder: GraphBuilder, layer: Any, x: Value, kind: Any) -> Value:
    if layer.keepdims:
        raise ValueError(f"layer {layer.name!r}: a graph's global pool keeps no dimensions")
    return builder.add(kind, layer.name, x)
