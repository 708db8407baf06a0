"""From a built Keras model of this package to the inference graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from nasnet_keras.data.augmentation import Augmentation
from nasnet_keras.detection.modeling.box_head import BoxHead
from nasnet_keras.detection.modeling.cell_stack import CellStack
from nasnet_keras.detection.modeling.rpn_head import RPNHead
from nasnet_keras.export.graph.lowering import cells, heads, keras_layers, layers, operations
from nasnet_keras.export.graph.lowering.builder import NOTHING, GraphBuilder, Value
from nasnet_keras.export.graph.nodes import Graph
from nasnet_keras.layers import (
    AuxiliaryHead,
    BatchNormalization,
    Cell,
    ClassifierHead,
    Combine,
    DropPathSchedule,
    FactorizedReduction,
)
from nasnet_keras.layers.layerwise import ConvolutionNormRelu, PaddedConcatenate


def _operation(function: Callable[[Any], Any]) -> type:
    """Returns the class with which Keras remembers a function of a symbolic tensor."""
    return type(function(keras.KerasTensor((None, 3), "float16"))._keras_history.operation)


def _nothing(builder: GraphBuilder, layer: Any, x: Value) -> Value:
    return NOTHING


RULES: dict[type, Callable[..., Any]] = {
    **cells.OPERATIONS,
    Augmentation: keras_layers.same,
    AuxiliaryHead: heads.auxiliary_head,
    BatchNormalization: keras_layers.batch_normalization,
    BoxHead: heads.box_head,
    Cell: cells.cell,
    CellStack: cells.cell_stack,
    ClassifierHead: heads.classifier_head,
    Combine: cells.combine,
    ConvolutionNormRelu: layers.convolution_norm_relu,
    DropPathSchedule: _nothing,
    FactorizedReduction: operations.factorized_reduction,
    PaddedConcatenate: layers.padded_concatenate,
    RPNHead: heads.rpn_head,
    keras.layers.Activation: keras_layers.activation,
    keras.layers.BatchNormalization: keras_layers.batch_normalization,
    keras.layers.Concatenate: keras_layers.concatenate,
    keras.layers.Conv2D: keras_layers.convolution,
    keras.layers.Dense: keras_layers.dense,
    keras.layers.Dropout: keras_layers.same,
    keras.layers.GlobalAveragePooling2D: keras_layers.global_average,
    keras.layers.GlobalMaxPooling2D: keras_layers.global_maximum,
    keras.layers.MaxPooling2D: layers.max_pooling,
    keras.layers.Rescaling: keras_layers.rescaling,
    keras.layers.SeparableConv2D: keras_layers.convolution,
    _operation(keras.ops.softmax): keras_layers.softmax,
    _operation(lambda x: keras.ops.cast(x, "float32")): keras_layers.same,
}
"""How each layer is written down: `rule(builder, layer, *inputs)`, as the layer is called."""


def graph_of(model: keras.Model) -> Graph:
    """Writes down a network as it is at inference.

    Nothing is left out but what inference does not do (dropout, drop path, identities); the passes
    do that. Of a mixed precision only the float32 variables are seen: the graph is exact.

    Args:
        model: A functional model of this package's layers, channels last, built, on any backend:
            a network with or without its top, `inference_model`, `feature_extractor`.

    Returns:
        The graph. Its inputs are named as the model's; its outputs after the keys of the model's
        dictionary, else after the layer that gives each; in Keras's order, that of sorted keys.

    Raises:
        ValueError: The model is no functional one or channels first; or a layer has no rule.
    """
    _check_layout(model)
    builder = GraphBuilder()
    inputs = [builder.input(x.name, tuple(x.shape[1:])) for x in model.inputs]
    outputs = lower(builder, model, inputs)
    return builder.graph(_named(model, outputs))


def lower(builder: GraphBuilder, layer: Any, *inputs: Any, **arguments: Any) -> Any:
    """Writes down one layer, or a whole functional model.

    Args:
        builder: Where to.
        layer: A layer, a model, or an operation of `keras.ops` within a model.
        *inputs: What it is called with: names of nodes, in lists where it takes lists.
        **arguments: Also; `training` and what is `None` are passed over.

    Returns:
        The names of the nodes of its outputs, nested as these are.

    Raises:
        ValueError: A layer has no rule.
    """
    # Keras also passes masks on, which nothing here has.
    arguments = {key: x for key, x in arguments.items() if key != "training" and x is not None}
    if type(layer) in RULES:
        return RULES[type(layer)](builder, layer, *inputs, **arguments)
    if isinstance(layer, keras.Sequential):
        value = inputs[0]
        for part in layer.layers:
            value = lower(builder, part, value)
        return value
    walk = getattr(layer, "_run_through_graph", None)
    if walk is None:
        raise ValueError(
            f"layer {layer.name!r} is a {type(layer).__name__}, which the inference graph has no "
            f"rule for; it has rules for {', '.join(sorted(kind.__name__ for kind in RULES))}"
        )

    def rule(part: Any) -> Callable[..., Any]:
        return lambda *inputs, **arguments: lower(builder, part, *inputs, **arguments)

    return walk(inputs[0] if len(inputs) == 1 else list(inputs), rule)


def _check_layout(model: keras.Model) -> None:
    if not (hasattr(model, "_run_through_graph") or isinstance(model, keras.Sequential)):
        raise ValueError(f"graph_of takes a functional Keras model, got {model!r}")
    for layer in model._flatten_layers():
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError(
                f"model {model.name!r} is channels first, the inference graph channels last: build "
                "the network with keras.config.set_image_data_format('channels_last') and load "
                "its weights"
            )


def _named(model: Any, outputs: Any) -> dict[str, Value]:
    """Returns the outputs by name."""
    flat = keras.tree.flatten_with_path(outputs)
    named: dict[str, Value] = {}
    for (path, value), default in zip(flat, model.output_names, strict=True):
        if value == NOTHING:
            continue
        keyed = isinstance(path[0], str) if path else False
        name = "_".join(map(str, path)) if keyed else default
        unique, number = name, 1
        while unique in named:
            unique, number = f"{name}_{number}", number + 1
        named[unique] = value
    return named
