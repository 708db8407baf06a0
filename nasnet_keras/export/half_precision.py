"""ONNX networks in half precision."""

from __future__ import annotations

from typing import Any


def onnx_in_float16(model: Any) -> Any:
    """Returns an `onnx.ModelProto` that computes in float16; its inputs and outputs stay float32.

    Raises:
        ValueError: ONNX Runtime is not installed.
    """
    from nasnet_keras.export.graph.onnx_session import import_onnxruntime

    import_onnxruntime()
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    converted = convert_float_to_float16(model, keep_io_types=True)
    # It adds casts behind the nodes that read them.
    OnnxModel(converted).topological_sort()
    return converted
