"""Writes what `onnx_writer` wrote as OpenVINO's two files."""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

from nasnet_keras.export.graph.onnx_builder import EXTRA


def import_openvino() -> Any:
    """Returns the module `openvino`.

    Raises:
        ValueError: It is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise ValueError(f"OpenVINO needs {error.name}: {EXTRA}") from error
    return openvino


def openvino_model(onnx_model: Any) -> Any:
    """Returns an `onnx.ModelProto` as an `openvino.Model`.

    Raises:
        ValueError: OpenVINO is not installed.
    """
    return import_openvino().convert_model(BytesIO(onnx_model.SerializeToString()))


def save_openvino(
    model: Any, path: str | os.PathLike[str], half_precision_weights: bool = False
) -> None:
    """Writes an `openvino.Model` as an XML file and, beside it, one of weights.

    Args:
        model: The model.
        path: The XML file; the other one has the same name but for its end, `.bin`.
        half_precision_weights: Whether weights are stored as float16, in half the space; in what is
            computed with them is the device's choice in any case (`INFERENCE_PRECISION_HINT`).
    """
    # Its own default is to round weights to half precision.
    import_openvino().save_model(model, os.fspath(path), compress_to_fp16=half_precision_weights)
