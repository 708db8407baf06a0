"""How cells, their combinations, and stacks of them are written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasnet_keras.detection.modeling.cell_stack import CellStack
from nasnet_keras.export.graph.lowering.builder import GraphBuilder, Value, array, scope
from nasnet_keras.export.graph.lowering.operations import (
    convolution,
    factorized_conv,
    factorized_reduction,
    identity,
    pooling,
    separable_conv,
)
from nasnet_keras.export.graph.nodes import (
    Add,
    Channels,
    Concatenate,
    InstanceNorm,
    LayerNorm,
    Relu,
)
from nasnet_keras.layers import (
    Cell,
    Combine,
    Convolution,
    FactorizedConv,
    Identity,
    Pooling,
    SeparableConv,
)
from nasnet_keras.layers.network_layer import BOUND

OPERATIONS: dict[type, Any] = {
    SeparableConv: separable_conv,
    Convolution: convolution,
    FactorizedConv: factorized_conv,
    Identity: identity,
    Pooling: pooling,
}
"""How each operation is written down. Drop path does nothing at inference."""


def cell(builder: GraphBuilder, layer: Cell, inputs: Sequence[Value], step: Any = None) -> Any:
    """Writes down a cell; returns its output, or a list of its states."""
    states = _adjusted_inputs(builder, layer, inputs)
    operations = iter(layer.operations)
    for number, (block, combiner) in enumerate(
        zip(layer.genotype.blocks, layer.combiners, strict=True)
    ):
        halves = []
        for branch in block.branches:
            operation = next(operations)
            rule = OPERATIONS.get(type(operation))
            if rule is None:
                raise ValueError(
                    f"operation {scope(operation)!r} is a {type(operation).__name__}, which has no "
                    "rule in OPERATIONS"
                )
            halves.append(rule(builder, operation, states[int(branch.input)]))
        if combiner:
            states.append(combine(builder, combiner, halves))
        else:
            states.append(builder.add(Add, f"{scope(layer)}/comb_iter_{number}/combine", *halves))
    for state, reduction in layer.output_reductions.items():
        states[int(state)] = factorized_reduction(builder, reduction, states[int(state)])
    outputs = [states[i] for i in layer.genotype.outputs]
    return outputs if layer.genotype.states else joined(builder, layer, outputs)


def combine(builder: GraphBuilder, layer: Combine, halves: Sequence[Value]) -> Value:
    """Writes down what joins the halves of a block."""
    name = scope(layer)
    if layer.mode == "concat":
        return builder.add(Concatenate, name, *halves)
    x = builder.add(Add, name, *halves)
    norm: Any = layer.normalization
    if norm is not None:
        kind = LayerNorm if layer.mode == "add_layer_norm" else InstanceNorm
        scale, offset = array(norm.gamma), array(norm.beta)
        x = builder.add(kind, scope(norm), x, scale=scale, offset=offset, epsilon=norm.epsilon)
    return builder.relu(layer, x) if layer.bounded_activation else x


def cell_stack(builder: GraphBuilder, layer: CellStack, x: Value, step: Any = None) -> Value:
    """Writes down a detector's last cells, and the ReLU after them."""
    outputs: dict[int, Any] = {}
    start = 0
    for index, widths in layer.input_widths:
        states = []
        for width in widths:
            span = {"start": start, "stop": start + width}
            states.append(builder.add(Channels, f"{scope(layer)}/input_{index}", x, **span))
            start += width
        outputs[index] = states if len(states) > 1 else states[0]
    index = layer.first_output
    for each, (current, previous) in zip(layer.cells, layer.reads, strict=True):
        first = outputs[current]
        states = first if isinstance(first, list) else [first]
        if previous is not None:
            states = [first, outputs[previous]]
        outputs[index] = cell(builder, each, states)
        index += 1
    last = outputs[index - 1]
    last = joined(builder, layer, last) if isinstance(last, list) else last
    maximum = BOUND if layer.bounded_activation else None
    return builder.add(Relu, f"{scope(layer)}/relu", last, maximum=maximum)


def joined(builder: GraphBuilder, layer: Any, states: Sequence[Value]) -> Value:
    """Writes down a concatenation, which of one image is the image."""
    if len(states) == 1:
        return states[0]
    return builder.add(Concatenate, f"{scope(layer)}/concat", *states)


def _adjusted_inputs(builder: GraphBuilder, layer: Cell, inputs: Sequence[Value]) -> list[Value]:
    if len(inputs) == 4:
        return list(inputs)
    current = builder.relu_convolution_norm(layer, layer.base_conv, layer.base_bn, inputs[0])
    if len(inputs) == 1:
        return [current] * 4 if layer.genotype.num_inputs == 4 else [current, inputs[0]]
    previous = inputs[1]
    if layer.previous is not None:
        previous = factorized_reduction(builder, layer.previous, previous)
    elif layer.prev_conv is not None:
        previous = builder.relu_convolution_norm(layer, layer.prev_conv, layer.prev_bn, previous)
    return [current, previous]
