"""Nodes of an ONNX graph, added one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

OPSET = 17
"""The first with LayerNormalization; every runtime since 2022 reads it."""

_IR_VERSION = 8
"""That of `OPSET`: the newest one may be unknown to an older runtime."""

EXTRA = "pip install 'nasnet-keras[export]'"
"""What installs the libraries that write and read files of other programs."""


def import_onnx() -> Any:
    """Returns the module `onnx`.

    Raises:
        ValueError: It is not installed.
    """
    try:
        import onnx
        import onnx.compose
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ValueError(f"ONNX needs {error.name}: {EXTRA}") from error
    return onnx


class OnnxBuilder:
    """A graph that is being written; tensors are known by their names.

    Args:
        prefix: Begins the names of all its tensors, so that a graph within a graph (a loop's body)
            has names of its own and can read the outer one's.
    """

    def __init__(self, prefix: str = "") -> None:
        self._onnx = import_onnx()
        self._prefix = prefix
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._known: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def constant(self, values: Any, dtype: str | None = None) -> str:
        """Returns the name of a constant; equal ones are stored once."""
        array = np.ascontiguousarray(np.asarray(values, dtype))
        # ascontiguousarray makes vectors of scalars.
        array = array.reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            name = self._new_name("constant")
            self._constants.append(self._onnx.numpy_helper.from_array(array, name))
            self._known[key] = name
        return self._known[key]

    def add(self, operation: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Adds a node with one output and returns that.

        Args:
            operation: ONNX's name of it.
            *inputs: Tensors; "" for one that is left out.
            name: The node's name. Default: a new one.
            **attributes: Its attributes.
        """
        return self.add_many(operation, *inputs, count=1, name=name, **attributes)[0]

    def add_many(
        self, operation: str, *inputs: str, count: int, name: str | None = None, **attributes: Any
    ) -> tuple[str, ...]:
        """Adds a node with several outputs and returns them, see `add`."""
        name = self._new_name(operation) if name is None else self._prefix + name
        outputs = tuple(f"{name}:{index}" for index in range(count))
        self._nodes.append(
            self._onnx.helper.make_node(operation, inputs, outputs, name=name, **attributes)
        )
        return outputs

    def add_model(self, model: Any, name: str, inputs: Mapping[str, str]) -> dict[str, str]:
        """Adds all of another model.

        Args:
            model: An `onnx.ModelProto` of the same `OPSET`.
            name: Begins the names of its tensors here.
            inputs: A tensor for each of its inputs.

        Returns:
            The tensor of each of its outputs.
        """
        prefix = f"{self._prefix}{name}/"
        graph = self._onnx.compose.add_prefix_graph(model.graph, prefix)
        read = {prefix + each: tensor for each, tensor in inputs.items()}
        for node in graph.node:
            node.input[:] = [read.get(tensor, tensor) for tensor in node.input]
        self._nodes.extend(graph.node)
        self._constants.extend(graph.initializer)
        return {each.name: prefix + each.name for each in model.graph.output}

    def rename(self, tensor: str, name: str) -> str:
        """Gives a tensor the name that it has outside of the graph."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [tensor], [name]))
        return name

    def value(self, name: str, shape: Sequence[int | str | None], dtype: str = "float32") -> Any:
        """Returns the declaration of an input or output.

        Args:
            name: The tensor.
            shape: Numbers, or names of sides that are not fixed.
            dtype: NumPy's name of its type.
        """
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, kind, shape)

    def graph(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Returns the graph of all that was added; inputs and outputs as `value` returned them."""
        return self._onnx.helper.make_graph(
            self._nodes, name, list(inputs), list(outputs), self._constants
        )

    def model(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """Returns the checked `onnx.ModelProto` of all that was added, see `graph`."""
        model = self._onnx.helper.make_model(
            self.graph(name, inputs, outputs),
            opset_imports=[self._onnx.helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="nasnet_keras",
        )
        self._onnx.checker.check_model(model)
        return model

    def _new_name(self, kind: str) -> str:
        self._count += 1
        return f"{self._prefix}{kind}_{self._count}"
