"""Exported files in the runtimes of their formats, as functions of arrays, as servers use them."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.export.graph.onnx_builder import EXTRA
from nasnet_keras.export.graph.onnx_session import import_onnxruntime, open_onnx
from nasnet_keras.export.graph.openvino_writer import import_openvino, read_openvino

Arrays = Mapping[str, np.ndarray]

_OPENVINO_PRECISIONS = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "int8": "f32"}


@dataclass(frozen=True, eq=False)
class LoadedFile:
    """An exported file that can be run; several threads may call it.

    Attributes:
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        run: From arrays by the inputs' names to arrays by the outputs'.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]
    run: Callable[[Arrays], Arrays]

    def __call__(self, **inputs: np.ndarray) -> Arrays:
        return self.run(inputs)


def open_runtime(
    file_format: str,
    path: str | os.PathLike[str],
    precision: str = "float32",
    threads: int | None = None,
) -> LoadedFile:
    """Loads an exported file in the runtime of its format, on the CPU.

    Args:
        file_format: A name from `RUNTIMES`, see `format_of`.
        path: The file; of a SavedModel its directory.
        precision: In what it computes, for a runtime that would choose by itself (OpenVINO).
        threads: How many it computes with; `None`: one for each core. TensorFlow's are those of the
            process.

    Returns:
        The file.

    Raises:
        ValueError: It is damaged, or the library is missing; the message says what to install.
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


def _onnx(path: Path, precision: str, threads: int | None) -> LoadedFile:
    session = open_onnx(path, threads)
    inputs, outputs = (
        [each.name for each in part()] for part in (session.get_inputs, session.get_outputs)
    )

    def run(feed: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(outputs, feed), strict=True))

    return LoadedFile(frozenset(inputs), frozenset(outputs), run)


def _openvino(path: Path, precision: str, threads: int | None) -> LoadedFile:
    # Left alone, it would take bfloat16 on processors that have it.
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _OPENVINO_PRECISIONS[precision]}
    if threads:
        hints["INFERENCE_NUM_THREADS"] = threads
    compiled = import_openvino().Core().compile_model(read_openvino(path), "CPU", hints)
    request = compiled.create_infer_request()
    # What is compiled may know its outputs by the names of other tensors, too.
    outputs = {name: output for output in compiled.outputs for name in output.get_names()}
    # It answers one call at a time, with all its threads.
    lock = threading.Lock()

    def run(feed: Arrays) -> Arrays:
        with lock:
            request.infer(dict(feed), share_inputs=True)
            return {name: np.array(request.get_tensor(port).data) for name, port in outputs.items()}

    return LoadedFile(
        frozenset(given.any_name for given in compiled.inputs), frozenset(outputs), run
    )


def _litert(path: Path, precision: str, threads: int | None) -> LoadedFile:
    # Its own default is one thread.
    options = {"num_threads": threads or os.cpu_count()}
    interpreter = litert_interpreter()
    try:
        runner = interpreter(model_path=str(path), **options).get_signature_runner()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is not a complete LiteRT file: {error}") from None
    lock = threading.Lock()

    def run(feed: Arrays) -> Arrays:
        with lock:
            return runner(**feed)

    return LoadedFile(
        frozenset(runner.get_input_details()), frozenset(runner.get_output_details()), run
    )


def _saved_model(path: Path, precision: str, threads: int | None) -> LoadedFile:
    tf = _import("a SavedModel", "tensorflow")
    damage = (tf.errors.OpError, OSError, ValueError, TypeError, LookupError, RuntimeError)
    try:
        loaded: Any = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
    except (*damage, AttributeError) as error:
        raise ValueError(f"{path} is not a complete SavedModel: {error}") from None

    def run(feed: Arrays) -> Arrays:
        # Its variables live as long as what was loaded.
        assert loaded is not None
        try:
            found = signature(**{name: tf.constant(values) for name, values in feed.items()})
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from None
        return {name: values.numpy() for name, values in found.items()}

    inputs = signature.structured_input_signature[1]
    return LoadedFile(frozenset(inputs), frozenset(signature.structured_outputs), run)


RUNTIMES: Mapping[str, Callable[[Path, str, int | None], LoadedFile]] = {
    "saved_model": _saved_model,
    "onnx": _onnx,
    "openvino": _openvino,
    "litert": _litert,
}
