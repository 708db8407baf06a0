"""ONNX Runtime, loaded where it is needed, and an ONNX file opened in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nasnet_keras.export.graph.onnx_builder import EXTRA


def import_onnxruntime() -> Any:
    """Imports ONNX Runtime with its telemetry off, unless `ORT_DISABLE_TELEMETRY` says otherwise.

    Its official builds report to their vendor from the import on.

    Raises:
        ValueError: It is missing; the message says what to install.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(f"ONNX needs {error.name}: {EXTRA}") from error
    return onnxruntime


def open_onnx(file: Path | bytes, threads: int | None = None, optimized: bool = True) -> Any:
    """Opens an ONNX file on the CPU.

    Args:
        file: The file, or what is in it.
        threads: How many an operation computes with; `None`: ONNX Runtime's own choice.
        optimized: Whether to prepare it for computing, not only for looking at it.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        ValueError: ONNX Runtime is missing, or the file is damaged.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    # It prints what it raises.
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    given = file if isinstance(file, bytes) else str(file)
    try:
        return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # Each of its errors derives from nothing else.
        name = "what was given" if isinstance(file, bytes) else file
        raise ValueError(f"{name} is not a complete ONNX file: {error}") from None
