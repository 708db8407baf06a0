"""A graph while it is being written down, with the pieces that several layers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import keras
import numpy as np

from nasnet_keras.export.graph.nodes import (
    Affine,
    Array,
    Clip,
    Convolution,
    Depthwise,
    Graph,
    Input,
    Node,
    Padding,
    Relu,
    Sigmoid,
    Softmax,
)
from nasnet_keras.export.graph.shapes import Shape, output_shape
from nasnet_keras.layers.network_layer import BOUND, NetworkLayer

Value: TypeAlias = str
"""What a layer's tensor is here: the name of the node that computes it."""

NOTHING: Value = ""
"""What inference does not compute: drop path's training step."""


class GraphBuilder:
    """Takes down nodes in the order of computation, and gives each a name of its own."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._shapes: dict[str, Shape] = {}

    def graph(self, outputs: Mapping[str, Value]) -> Graph:
        """Returns the graph of all nodes so far."""
        return Graph(tuple(self._nodes), dict(outputs))

    def shape(self, value: Value) -> Shape:
        """Returns the shape of a node's result, the batch left out."""
        return self._shapes[value]

    def channels(self, value: Value) -> int:
        """Returns the channels of a node's result."""
        return cast("int", self._shapes[value][-1])

    def input(self, name: str, shape: Shape) -> Value:
        """Adds an input."""
        return self.add(Input, name, shape=shape)

    def add(self, kind: type[Node], name: str, *inputs: Value, **fields: Any) -> Value:
        """Adds a node.

        Args:
            kind: Its class.
            name: Its name, numbered where another node has it already.
            *inputs: The nodes that it reads.
            **fields: What else its class asks for.

        Returns:
            Its name.
        """
        unique, number = name, 1
        while unique in self._shapes:
            unique, number = f"{name}_{number}", number + 1
        node = kind(name=unique, inputs=inputs, **fields)
        self._nodes.append(node)
        self._shapes[unique] = output_shape(node, [self._shapes[x] for x in inputs])
        return unique

    # Pieces of layers.

    def relu(self, owner: NetworkLayer, x: Value) -> Value:
        """Adds `NetworkLayer.activate`."""
        maximum = BOUND if owner.bounded_activation else None
        return self.add(Relu, f"{scope(owner)}/relu", x, maximum=maximum)

    def clip(self, owner: NetworkLayer, x: Value, minimum: float = -BOUND) -> Value:
        """Adds `NetworkLayer.clip`: nothing unless activations are bounded."""
        if not owner.bounded_activation:
            return x
        return self.add(Clip, f"{scope(owner)}/clip", x, minimum=minimum, maximum=BOUND)

    def convolution(self, layer: Any, x: Value) -> Value:
        """Adds a convolution, or a separable one as two, with what its layer does after it."""
        name = scope(layer)
        geometry: dict[str, Any] = {
            "strides": tuple(layer.strides),
            "padding": cast("Padding", layer.padding),
            "dilation": tuple(layer.dilation_rate),
        }
        if getattr(layer, "groups", 1) != 1 or getattr(layer, "depth_multiplier", 1) != 1:
            raise ValueError(f"layer {name!r} convolves in groups, which a graph has no node for")
        bias = array(layer.bias) if layer.use_bias else None
        if isinstance(layer, keras.layers.SeparableConv2D):
            kernel = array(layer.depthwise_kernel)[..., 0]
            x = self.add(Depthwise, f"{name}/depthwise", x, kernel=kernel, **geometry)
            kernel = array(layer.pointwise_kernel)
            x = self.add(Convolution, f"{name}/pointwise", x, kernel=kernel, bias=bias)
        else:
            x = self.add(Convolution, name, x, kernel=array(layer.kernel), bias=bias, **geometry)
        return self.activation(f"{name}/activation", layer.activation, x)

    def batch_norm(self, layer: Any, x: Value) -> Value:
        """Adds a BN as it is at inference: a scale and an offset for each channel."""
        scale = 1.0 / np.sqrt(array(layer.moving_variance) + layer.epsilon)
        if layer.scale:
            scale = scale * array(layer.gamma)
        offset = -array(layer.moving_mean) * scale
        if layer.center:
            offset = offset + array(layer.beta)
        return self.add(Affine, scope(layer), x, scale=scale, offset=offset)

    def relu_convolution_norm(self, owner: NetworkLayer, layer: Any, norm: Any, x: Value) -> Value:
        """Adds ReLU, convolution, BN: the order of all of slim's cells."""
        return self.batch_norm(norm, self.convolution(layer, self.relu(owner, x)))

    def activation(self, name: str, function: Any, x: Value) -> Value:
        """Adds an activation of Keras.

        Raises:
            ValueError: A graph has no node for it.
        """
        activations: dict[Any, Any] = {
            keras.activations.relu: (Relu, {}),
            keras.activations.relu6: (Relu, {"maximum": 6.0}),
            keras.activations.softmax: (Softmax, {}),
            keras.activations.sigmoid: (Sigmoid, {}),
        }
        if function in (None, keras.activations.linear):
            return x
        if function not in activations:
            word = getattr(function, "__name__", repr(function))
            known = ", ".join(each.__name__ for each in activations)
            raise ValueError(f"activation {word!r} of {name!r} has no node; there are {known}")
        kind, fields = activations[function]
        return self.add(kind, name, x, **fields)


def scope(layer: Any) -> str:
    """Returns the scope of a layer's variables, which its nodes are named after."""
    return layer.path or layer.name


def array(variable: Any) -> Array:
    """Returns a variable's values as the graph has them."""
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)
