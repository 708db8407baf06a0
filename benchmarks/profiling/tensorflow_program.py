"""A training step or inference as TensorFlow's graph: its operations' kinds and what they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from profiling.costs import Costs, no_costs
from profiling.kinds import BY_INPUT, BY_KERNEL, FORWARD, L2, OTHER, SUMS, kind_of, named_kinds

# They pass on what they are given, or hold a number.
_FREE = ("Const", "Identity", "IdentityN", "NoOp", "Placeholder", "Reshape", "Squeeze", "Shape")
_FREE += ("ExpandDims", "ReadVariableOp", "VarHandleOp", "StopGradient", "AssignVariableOp")
_FREE += ("ShapeN", "ConcatOffset", "StridedSlice", "Pack", "BroadcastGradientArgs")


class TensorFlowProgram:
    """A function of a network on one batch, traced with the kinds of its operations.

    Args:
        model: The network.
        function: What is measured, e.g. `model.train_step`.
        data: Its argument: arrays, nested at will.
    """

    def __init__(self, model: keras.Model, function: Callable[[Any], Any], data: Any) -> None:
        import tensorflow as tf

        self._data = keras.tree.map_structure(tf.constant, data)
        with named_kinds(model):
            compiled = tf.function(function, autograph=False)
            self._concrete = compiled.get_concrete_function(self._data)
        self._function = compiled
        self._operations = {each.name: each for each in self._concrete.graph.get_operations()}

    def step(self) -> None:
        # On an accelerator, a result on the host is one that is there.
        for result in keras.tree.flatten(self._function(self._data)):
            result.numpy()

    def kinds(self, event: str) -> dict[str, float]:
        """Returns the kind of an operation that ran, `name:type`, and 1 for all of it."""
        name, _, operation_type = event.rpartition(":")
        return {self._kind(name, operation_type): 1.0}

    def costs(self) -> Costs:
        """Returns what the operations of each kind need, as they stand in the graph."""
        costs = no_costs()
        for operation in _needed(self._concrete.graph):
            if operation.type not in _FREE:
                cost = costs[self._kind(operation.name, operation.type)]
                cost.flops += _flops(operation)
                cost.accessed_bytes += _accessed_bytes(operation)
                cost.operations += 1
        return costs

    def _kind(self, name: str, operation_type: str) -> str:
        kind = kind_of(name)
        if operation_type.endswith("DepthwiseConv2dNativeBackpropInput"):
            return BY_INPUT
        if kind == FORWARD and name.startswith("gradient_tape"):
            return BY_KERNEL
        if kind is None and operation_type.endswith("AddN"):
            # The gradients of what is used more than once; weights are, by L2.
            operation = self._operations.get(name)
            inputs = operation.inputs if operation else ()
            return L2 if any(kind_of(each.op.name) == L2 for each in inputs) else SUMS
        if kind is None and operation_type.endswith("AddV2"):
            return SUMS
        return kind or OTHER


def _needed(graph: Any) -> set[Any]:
    """Returns the operations that results and changes of variables need; others never run."""
    waiting = [each.op for each in graph.outputs] + list(graph.control_outputs)
    needed = set(waiting)
    while waiting:
        operation = waiting.pop()
        before = {each.op for each in operation.inputs} | set(operation.control_inputs)
        waiting.extend(before - needed)
        needed |= before
    return needed


def _size(tensor: Any) -> float:
    """Returns a tensor's bytes; those of a variable for its handle; 0 where it is not known."""
    shape: Any
    shape, dtype = tensor.shape, tensor.dtype
    handle = getattr(tensor, "_handle_data", None)
    if handle is not None and handle.shape_and_type:
        import tensorflow as tf

        shape = tf.TensorShape(handle.shape_and_type[0].shape)
        dtype = tf.as_dtype(handle.shape_and_type[0].dtype)
    if shape.rank is None or None in shape or not dtype.size:
        return 0.0
    return float(math.prod(shape)) * dtype.size


def _accessed_bytes(operation: Any) -> float:
    import tensorflow as tf

    # A variable that an operation is given by its handle is read and written.
    sizes = [_size(each) * (1 + (each.dtype == tf.resource)) for each in operation.inputs]
    return sum(sizes) + sum(map(_size, operation.outputs))


def _flops(operation: Any) -> float:
    """Returns two for each multiply-add."""
    name = operation.type
    if name in ("MatMul", "BatchMatMulV2"):
        first, result = operation.inputs[0].shape, operation.outputs[0].shape
        transposed = name == "MatMul" and operation.get_attr("transpose_a")
        return _twice(result.as_list(), [first[0 if transposed else -1]])
    if "Conv2d" not in name and "Conv2D" not in name:
        return 0.0
    depthwise = name.startswith("Depthwise")
    # The image that is (or was) made, and the kernel.
    if name.endswith("BackpropFilter"):
        made, kernel = operation.inputs[2].shape, operation.outputs[0].shape
    elif name.endswith("BackpropInput"):
        made, kernel = operation.inputs[2].shape, operation.inputs[1].shape
    else:
        made, kernel = operation.outputs[0].shape, operation.inputs[1].shape
    height, width, channels, _ = kernel.as_list()
    return _twice(made.as_list(), [height, width, 1 if depthwise else channels])


def _twice(*factors: list[int | None]) -> float:
    sizes = [size for group in factors for size in group]
    return 0.0 if None in sizes else 2.0 * math.prod(sizes)  # type: ignore[arg-type]
