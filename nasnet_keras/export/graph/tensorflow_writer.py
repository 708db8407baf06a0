"""Writes an inference graph as a TensorFlow function, of which LiteRT's converter makes a file.

Weights are variables of the function: of constants the converter makes a dozen copies and more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from nasnet_keras.export.graph.nodes import (
    Add,
    Affine,
    Array,
    AveragePool,
    Channels,
    Clip,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    GlobalAveragePool,
    GlobalMaxPool,
    Graph,
    Input,
    InstanceNorm,
    LayerNorm,
    MaxPool,
    Node,
    Pad,
    Relu,
    Reshape,
    Shift,
    Sigmoid,
    Softmax,
    Subsample,
)

_PADDINGS: dict[str, Literal["SAME", "VALID"]] = {"same": "SAME", "valid": "VALID"}


def tensorflow_function(
    graph: Graph,
    batch: int | None = None,
    prepare: Callable[[Any], Any] | None = None,
) -> Any:
    """Returns a graph as a TensorFlow function, float32.

    Args:
        graph: The graph.
        batch: Size of a batch. Default: any.
        prepare: Makes the graph's one input of what the function takes instead, images of any
            size, uint8 `(batch, height, width, 3)`.

    Returns:
        A concrete `tf.function` that takes the graph's inputs by their names and returns its
        outputs as a dictionary.
    """
    import tensorflow as tf

    with_variables = _with_variables(graph)
    specs = {
        node.name: tf.TensorSpec((batch, *node.shape), tf.float32, name=node.name)
        if prepare is None
        else tf.TensorSpec((batch, None, None, 3), tf.uint8, name=node.name)
        for node in graph.inputs
    }

    def compute(**inputs: Any) -> dict[str, Any]:
        if prepare is not None:
            inputs = {name: prepare(images) for name, images in inputs.items()}
        return call_graph(with_variables, inputs)

    function = tf.function(compute, autograph=False).get_concrete_function(**specs)
    # TensorFlow's own references to the variables do not keep them.
    function.weights = function.variables
    return function


def litert_converter(function: Any) -> Any:
    """Returns the converter of a concrete function to a LiteRT file of built-in operations."""
    import tensorflow as tf

    holder: Any = tf.Module()
    holder.weights = function.variables
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], holder)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def _with_variables(graph: Graph) -> Graph:
    """Returns a graph whose weights are TensorFlow's variables, float32."""
    import tensorflow as tf

    def of(node: Node) -> Node:
        weights = {
            field.name: tf.Variable(tf.convert_to_tensor(value, tf.float32), trainable=False)
            for field in dataclasses.fields(node)
            if isinstance(value := getattr(node, field.name), np.ndarray)
        }
        return dataclasses.replace(node, **weights)

    return graph.replace(list(map(of, graph.nodes)))


def call_graph(graph: Graph, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Applies a graph to tensors, within a `tf.function` or without.

    Args:
        graph: The graph.
        inputs: A tensor with a batch for each input, by its name.

    Returns:
        A tensor for each output, by its name.

    Raises:
        TypeError: The kind of a node is unknown.
    """
    results: dict[str, Any] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            results[node.name] = inputs[node.name]
        else:
            results[node.name] = _call_node(node, [results[name] for name in node.inputs])
    return {output: results[name] for output, name in graph.outputs.items()}


def _call_node(node: Node, read: Sequence[Any]) -> Any:
    import tensorflow as tf

    x = read[0]
    match node:
        case Convolution():
            kernel = _float(node.kernel)
            y = tf.nn.conv2d(
                x, kernel, node.strides, _PADDINGS[node.padding], dilations=node.dilation
            )
            return _biased(y, node.bias)
        case Depthwise():
            kernel = _float(node.kernel)[..., np.newaxis]
            strides, padding = (1, *node.strides, 1), _PADDINGS[node.padding]
            y = tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=node.dilation)
            return _biased(y, node.bias)
        case Dense():
            return _biased(tf.linalg.matmul(x, _float(node.kernel)), node.bias)
        case Affine():
            y = x * _float(node.scale)
            return y if node.offset is None else y + _float(node.offset)
        case LayerNorm():
            return _normalized(x, [-1], node)
        case InstanceNorm():
            return _normalized(x, [1, 2], node)
        case Relu():
            if node.maximum is None:
                return tf.nn.relu(x)
            # ReLU6 has an operation of its own, which converters fuse.
            return tf.nn.relu6(x) if node.maximum == 6 else tf.clip_by_value(x, 0.0, node.maximum)
        case Clip():
            return tf.clip_by_value(x, node.minimum, node.maximum)
        case Softmax():
            return tf.nn.softmax(x)
        case Sigmoid():
            return tf.math.sigmoid(x)
        case AveragePool():
            return tf.nn.avg_pool2d(x, node.window, node.strides, _PADDINGS[node.padding])
        case MaxPool():
            return tf.nn.max_pool2d(x, node.window, node.strides, _PADDINGS[node.padding])
        case GlobalAveragePool():
            return tf.reduce_mean(x, [1, 2])
        case GlobalMaxPool():
            return tf.reduce_max(x, [1, 2])
        case Add():
            return x + read[1]
        case Concatenate():
            return tf.concat(read, -1)
        case Channels():
            return x[..., node.start : node.stop]
        case Pad():
            return tf.pad(x, [(0, 0), *zip(node.before, node.after, strict=True), (0, 0)])
        case Shift():
            rows, columns = node.by
            return tf.pad(x[:, rows:, columns:], [(0, 0), (0, rows), (0, columns), (0, 0)])
        case Subsample():
            return x[:, :: node.strides[0], :: node.strides[1]]
        case Reshape():
            return tf.reshape(x, [x.shape[0] or tf.shape(x)[0], *node.shape])
        case _:
            raise TypeError(f"no rule writes a node of kind {type(node).__name__}")


def _float(values: Array) -> Any:
    """Returns an array, or a variable that `_with_variables` made of it, as a tensor."""
    import tensorflow as tf

    return tf.convert_to_tensor(values, tf.float32)


def _biased(x: Any, bias: Array | None) -> Any:
    import tensorflow as tf

    # Of rank 4 it is what converters fuse into the convolution before it.
    return x if bias is None else tf.nn.bias_add(x, _float(bias))


def _normalized(x: Any, axes: list[int], node: LayerNorm | InstanceNorm) -> Any:
    import tensorflow as tf

    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    normalized = centred * tf.math.rsqrt(variance + node.epsilon)
    return normalized * _float(node.scale) + _float(node.offset)
