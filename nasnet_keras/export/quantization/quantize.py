"""A classifier in 8 bits, in any format that has them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from nasnet_keras.export.quantization.litert_quantizer import (
    LiteRTDynamicQuantizer,
    LiteRTQuantizer,
)
from nasnet_keras.export.quantization.onnx_quantizer import ONNXQuantizer
from nasnet_keras.export.quantization.openvino_quantizer import OpenVINOQuantizer
from nasnet_keras.export.quantization.pictures import QuantizationPictures
from nasnet_keras.export.quantization.quantizer import Quantizer
from nasnet_keras.export.quantization.search import Quantized, quantize_within
from nasnet_keras.text.suggestions import unknown_name

_EXTRA = "pip install 'nasnet-keras[quantization]'"
_Make = Callable[[Any, QuantizationPictures], Quantizer]
_FORMATS: dict[str, tuple[_Make, tuple[str, ...]]] = {
    "onnx": (
        lambda model, pictures: ONNXQuantizer(model, pictures.calibration),
        ("onnx", "onnxruntime"),
    ),
    "openvino": (
        lambda model, pictures: OpenVINOQuantizer(model, pictures.calibration),
        ("openvino", "nncf"),
    ),
    "litert": (
        lambda model, pictures: LiteRTQuantizer(model, pictures.calibration),
        ("tensorflow", "ai_edge_litert"),
    ),
    "litert_dynamic": (
        lambda model, pictures: LiteRTDynamicQuantizer(model),
        ("tensorflow", "ai_edge_litert"),
    ),
}
FORMATS = tuple(_FORMATS)


def quantize(
    file_format: str,
    model: Any,
    pictures: QuantizationPictures,
    max_accuracy_loss: float = 1.0,
) -> Quantized:
    """Quantizes a classifier to 8 bits and scores it on held-out pictures.

    Layers stay in float where it would lose too much otherwise, see `quantize_within`.

    Args:
        file_format: A name from `FORMATS`: `"onnx"` is ONNX Runtime's QDQ form, `"openvino"` NNCF's
            quantization; `"litert"` has activations in 8 bits, for accelerators, and
            `"litert_dynamic"` weights alone, which is the faster one on CPUs.
        model: The classifier in float, which takes preprocessed images: an `onnx.ModelProto` or the
            path of one, an `openvino.Model`, or for LiteRT a concrete function. It answers with
            `logits`, or has one output.
        pictures: What to calibrate and to score on.
        max_accuracy_loss: How many points of a hundred of top-1 accuracy may be lost.

    Returns:
        The classifier in 8 bits, its accuracy, and what stayed in float.

    Raises:
        ValueError: More is lost, the format is unknown, or a library is missing.
    """
    check_quantization(file_format)
    quantizer = _FORMATS[file_format][0](model, pictures)
    return quantize_within(quantizer, pictures.held_out, max_accuracy_loss)


def check_quantization(file_format: str) -> None:
    """Raises a `ValueError` for an unknown format, or one whose library is missing."""
    if file_format not in _FORMATS:
        raise ValueError(unknown_name("format", file_format, FORMATS))
    for library in _FORMATS[file_format][1]:
        if importlib.util.find_spec(library) is None:
            raise ValueError(f"8 bits for {file_format} need {library}: {_EXTRA}")
