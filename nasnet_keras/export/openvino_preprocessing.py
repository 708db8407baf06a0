"""Preprocessing inside an OpenVINO network: that of ONNX, put before it."""

from __future__ import annotations

from typing import Any

from nasnet_keras.export.graph.onnx_builder import OnnxBuilder
from nasnet_keras.export.graph.openvino_writer import import_openvino, openvino_model
from nasnet_keras.export.onnx_preprocessing import add_preprocessing


def with_preprocessing(network: Any, preprocessing_name: str, size: int) -> Any:
    """Returns a network that takes images of any size, uint8 `(batch, height, width, 3)`.

    Args:
        network: An `openvino.Model` with one input, float32 `(batch, size, size, 3)`; it is
            changed.
        preprocessing_name: See `nasnet_keras.data.preprocessing`.
        size: Height and width of what the network takes.
    """
    openvino: Any = import_openvino()
    (taken,) = network.inputs
    name = taken.any_name
    builder = OnnxBuilder()
    sides = ("batch", size, size, 3)
    images = builder.value(name, sides)
    prepared = builder.add("Identity", name)
    alone = builder.model("preprocessing", [images], [builder.value(prepared, sides)])
    add_preprocessing(alone, preprocessing_name, size)
    before = openvino_model(alone)
    source = before.outputs[0].get_node().input_value(0)
    for target in taken.get_target_inputs():
        target.replace_source_output(source)
    return openvino.Model(network.get_results(), before.get_parameters(), network.get_name())
