"""The programs that run exported classifiers, as functions of images: what servers would use."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.export.classifier_check import OUTPUTS, Answer
from nasnet_keras.export.graph.onnx_builder import EXTRA
from nasnet_keras.export.graph.onnx_session import import_onnxruntime, open_onnx

Run = Callable[[np.ndarray], Answer]
"""From `images` to `logits` and `probabilities`."""

_OPENVINO_PRECISIONS = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "int8": "f32"}


def open_runtime(
    file_format: str,
    path: str | os.PathLike[str],
    precision: str = "float32",
    threads: int | None = None,
) -> Run:
    """Loads an exported classifier in the runtime of its format, on the CPU.

    Args:
        file_format: A name from `RUNTIMES`.
        path: The file; of a SavedModel its directory.
        precision: In what it computes, for a runtime that would choose by itself (OpenVINO).
        threads: How many it computes with; `None`: its own choice. TensorFlow's are those of the
            process.

    Returns:
        A function of `images`, see `Run`.

    Raises:
        ValueError: The library is missing; the message says what to install.
    """
    return RUNTIMES[file_format](Path(path), precision, threads)


def check_runtime(file_format: str) -> None:
    """Refuses a format whose libraries are missing, with what to install.

    Raises:
        ValueError: They are.
    """
    for name, module in _MODULES[file_format]:
        _import(name, module)
    if file_format == "onnx":
        import_onnxruntime()
    if file_format == "litert":
        litert_interpreter()


def _import(name: str, module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(f"{name} needs {error.name or module}: {EXTRA}") from error


_MODULES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "saved_model": (("a SavedModel", "tensorflow"),),
    "onnx": (("ONNX", "onnx"),),
    "openvino": (("OpenVINO", "openvino"),),
    "litert": (("LiteRT", "tensorflow"),),
}


def litert_interpreter() -> Any:
    """Returns LiteRT's class `Interpreter`: ai-edge-litert's, else that of TensorFlow.

    Raises:
        ValueError: Neither is there.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import warnings

        # It names its successor, which has no wheels for some platforms.
        warnings.filterwarnings("ignore", message=r"[\s\S]*tf\.lite\.Interpreter is deprecated")
        return _import("LiteRT", "tensorflow").lite.Interpreter
    return Interpreter


def _onnx(path: Path, precision: str, threads: int | None) -> Run:
    session = open_onnx(path, threads)
    (given,) = session.get_inputs()

    def run(images: np.ndarray) -> Answer:
        return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {given.name: images}), strict=True))

    return run


def openvino_request(path: Path, precision: str, threads: int | None = None) -> Any:
    """Loads a network in OpenVINO, on the CPU.

    Args:
        path: The XML file.
        precision: In what it computes.
        threads: How many it computes with; `None`: its own choice.

    Returns:
        Its `InferRequest`.

    Raises:
        ValueError: OpenVINO is missing.
    """
    openvino = _import("OpenVINO", "openvino")
    # Left alone, it would take bfloat16 on processors that have it.
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _OPENVINO_PRECISIONS[precision]}
    if threads:
        hints["INFERENCE_NUM_THREADS"] = threads
    return openvino.Core().compile_model(str(path), "CPU", hints).create_infer_request()


def _openvino(path: Path, precision: str, threads: int | None) -> Run:
    request = openvino_request(path, precision, threads)

    def run(images: np.ndarray) -> Answer:
        request.infer([images], share_inputs=True)
        return {name: np.array(request.get_tensor(name).data) for name in OUTPUTS}

    return run


def _litert(path: Path, precision: str, threads: int | None) -> Run:
    interpreter = litert_interpreter()(model_path=str(path), num_threads=threads)
    runner = interpreter.get_signature_runner()
    (given,) = runner.get_input_details()

    def run(images: np.ndarray) -> Answer:
        return runner(**{given: images})

    return run


def _saved_model(path: Path, precision: str, threads: int | None) -> Run:
    tf = _import("a SavedModel", "tensorflow")
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    (given,) = signature.structured_input_signature[1]

    def run(images: np.ndarray) -> Answer:
        found = signature(**{given: tf.constant(images)})
        # Its variables live as long as what was loaded.
        assert loaded is not None
        return {name: found[name].numpy() for name in OUTPUTS}

    return run


RUNTIMES: Mapping[str, Callable[[Path, str, int | None], Run]] = {
    "saved_model": _saved_model,
    "onnx": _onnx,
    "openvino": _openvino,
    "litert": _litert,
}
