"""How classifiers and a detector's heads are written down."""

from __future__ import annotations

from nasnet_keras.detection.modeling.box_head import BoxHead
from nasnet_keras.detection.modeling.rpn_head import RPNHead
from nasnet_keras.export.graph.lowering.builder import GraphBuilder, Value, scope
from nasnet_keras.export.graph.lowering.keras_layers import dense
from nasnet_keras.export.graph.nodes import AveragePool, Reshape
from nasnet_keras.layers import AuxiliaryHead, ClassifierHead
from nasnet_keras.layers.auxiliary_head import POOL_SIZE, POOL_STRIDE


def classifier_head(builder: GraphBuilder, layer: ClassifierHead, x: Value) -> Value:
    """Writes down the dense layer, and no dropout."""
    return dense(builder, layer.dense, x)


def auxiliary_head(builder: GraphBuilder, layer: AuxiliaryHead, x: Value) -> Value:
    """Writes down the auxiliary classifier, which only who asks for its logits keeps."""
    name = scope(layer)
    x = builder.relu(layer, x)
    window = {"window": (POOL_SIZE,) * 2, "strides": (POOL_STRIDE,) * 2, "padding": "valid"}
    x = builder.add(AveragePool, f"{name}/pool", x, **window)
    x = builder.batch_norm(layer.aux_bn0, builder.convolution(layer.proj, x))
    x = builder.relu_convolution_norm(layer, layer.conv, layer.aux_bn1, x)
    x = builder.relu(layer, x)
    flat = builder.add(Reshape, f"{name}/flat", x, shape=(builder.channels(x),))
    return dense(builder, layer.dense, flat)


def rpn_head(builder: GraphBuilder, layer: RPNHead, x: Value) -> tuple[Value, Value]:
    """Writes down the RPN: encoded boxes `(N, 4)` and logits `(N, 2)`."""
    name = scope(layer)
    x = builder.convolution(layer.conv, x)
    boxes = builder.convolution(layer.box_conv, x)
    logits = builder.convolution(layer.logits_conv, x)
    return (
        builder.add(Reshape, f"{name}/encodings", boxes, shape=(-1, 4)),
        builder.add(Reshape, f"{name}/scores", logits, shape=(-1, 2)),
    )


def box_head(builder: GraphBuilder, layer: BoxHead, x: Value) -> tuple[Value, Value]:
    """Writes down the second stage's head.

    Of features `(..., channels)` it gives encoded boxes `(..., classes, 4)` and logits
    `(..., classes + 1)`.
    """
    boxes = dense(builder, layer.box_dense, x)
    outer = tuple(-1 for _ in builder.shape(x)[:-1])
    shape = (*outer, layer.classes, 4)
    encodings = builder.add(Reshape, f"{scope(layer)}/encodings", boxes, shape=shape)
    return encodings, dense(builder, layer.logits_dense, x)
