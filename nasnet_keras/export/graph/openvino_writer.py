"""Writes what `onnx_writer` wrote as OpenVINO's two files, and reads them."""

from __future__ import annotations

import os
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
    # Its function `convert_model` reports its use to its vendor; this reads the same model.
    model = import_openvino().Core().read_model(onnx_model.SerializeToString())
    _order_equal_values(model)
    return model


def read_openvino(path: str | os.PathLike[str]) -> Any:
    """Returns the `openvino.Model` of an XML file and the weights beside it.

    Raises:
        ValueError: It is damaged, or OpenVINO is not installed.
    """
    core = import_openvino().Core()
    try:
        return core.read_model(os.fspath(path))
    except RuntimeError as error:
        # The lines before the last one say where in its source.
        *_, reason = str(error).strip().splitlines()
        raise ValueError(f"{path} is not a complete OpenVINO file: {reason}") from None


def _order_equal_values(model: Any) -> None:
    """Lets `TopK` put the first of equal values first: ONNX says so, its conversion does not."""
    from openvino import opset11

    for node in model.get_ops():
        if node.get_type_name() != "TopK":
            continue
        known = node.get_attributes()
        stable = opset11.topk(
            *node.input_values(),
            *(known[name] for name in ("axis", "mode", "sort", "index_element_type")),
            stable=True,
        )
        for before, after in zip(node.outputs(), stable.outputs(), strict=True):
            for reader in before.get_target_inputs():
                reader.replace_source_output(after)


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
