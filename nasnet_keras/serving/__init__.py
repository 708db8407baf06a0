"""Trained networks behind servers: one predictor for all files, and the servers' own classes.

A server has an exported file, its runtime (`onnxruntime`, `openvino` or `ai-edge-litert`), NumPy
and Pillow; neither Keras nor TensorFlow is imported unless the file needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasnet_keras.serving.kserve_model import KServeModel
    from nasnet_keras.serving.mlserver_runtime import Runtime
    from nasnet_keras.serving.predictor import Prediction, Predictor, load_predictor

__all__ = ["KServeModel", "Prediction", "Predictor", "Runtime", "load_predictor"]

_MODULES = {
    "KServeModel": "kserve_model",
    "Prediction": "predictor",
    "Predictor": "predictor",
    "Runtime": "mlserver_runtime",
    "load_predictor": "predictor",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: each server's class needs that server's library.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
