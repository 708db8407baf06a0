"""The latency and memory of a child's network, measured where it is trained.

All children of a search are measured in one way, which its configuration names: as an ONNX file,
where ONNX Runtime is installed, else in the child's process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nasnet_keras.search.children import onnx_measurement
from nasnet_keras.settings import check_value

if TYPE_CHECKING:
    import keras

MeasuredBy = Literal["onnx", "process", "wall_clock"]
"""How children are measured.

`"onnx"`: as `nasnet_keras.search.children.onnx_measurement` says. `"process"`: processor time of
all threads of the child's process. `"wall_clock"`: as searches did that were begun before there
were the others.
"""

_ROOT = Path(__file__).parents[3]


def measured_by(child: Mapping[str, Any] | None) -> MeasuredBy:
    """Returns how the children of a search are measured.

    Args:
        child: What the search's configuration says of its children; `None`: it is a new one.

    Raises:
        ValueError: The configuration names no way of measuring.
    """
    if child is not None:
        by = child.get("measured_by", "wall_clock")
        check_value("child.measured_by", MeasuredBy, by)
        return by
    try:
        check_measured_by("onnx")
    except ValueError:
        return "process"
    return "onnx"


def check_measured_by(by: MeasuredBy, memory: bool = False) -> None:
    """Refuses a way of measuring that does not work here.

    Args:
        by: How.
        memory: Whether memory is needed, not only latency.

    Raises:
        ValueError: A library is missing, the message says what to install; or memory cannot be
            measured.
    """
    from nasnet_keras.export.graph.onnx_builder import EXTRA, import_onnx
    from nasnet_keras.export.graph.onnx_session import import_onnxruntime

    if by == "onnx":
        import_onnx()
        import_onnxruntime()
    if memory and not (by == "onnx" and onnx_measurement.STATUS.exists()):
        raise ValueError(
            "reward='accuracy_memory': memory is measured on Linux, in searches that were begun "
            f"with ONNX Runtime: {EXTRA}"
        )


def measurement_config(by: MeasuredBy, runs: int) -> dict[str, Any]:
    """Returns what a search's configuration says of the measurements."""
    # That it is by the wall clock needs no word, as before there were others.
    how = {"measured_by": by} if runs and by != "wall_clock" else {}
    return {"latency_runs": runs, **how}


def measure(model: keras.Model, by: MeasuredBy, runs: int) -> dict[str, Any]:
    """Measures predictions of one image.

    Args:
        model: A network with known sizes, float32.
        by: How.
        runs: Predictions whose median counts.

    Returns:
        `latency_ms`, and where it can be measured `peak_bytes`, the memory that the network takes.

    Raises:
        RuntimeError: The measuring process failed; what it printed is in the child's log.
        ValueError: A library is missing.
    """
    if by == "onnx":
        return _as_onnx(model, runs)
    import numpy as np

    image = np.zeros((1, *model.input_shape[1:]), "float32")
    model.predict_on_batch(image)  # Compiles.
    clock = time.process_time if by == "process" else time.perf_counter
    times = []
    for _ in range(runs):
        began = clock()
        model.predict_on_batch(image)
        times.append(1000 * (clock() - began))
    return {"latency_ms": round(statistics.median(times), 3)}


def _as_onnx(model: keras.Model, runs: int) -> dict[str, Any]:
    from nasnet_keras.export.graph.lowering import graph_of
    from nasnet_keras.export.graph.onnx_writer import write_onnx
    from nasnet_keras.export.graph.passes import optimized
    from nasnet_keras.export.output_files import CHANNEL_MULTIPLE
    from nasnet_keras.models.inference import inference_model

    # As classifiers are exported.
    graph = optimized(graph_of(inference_model(model)), CHANNEL_MULTIPLE)
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    # In a process of its own: this one's memory and threads are those of training.
    done = subprocess.run(
        [sys.executable, "-m", onnx_measurement.__name__, str(runs)],
        input=write_onnx(graph, model.name).SerializeToString(),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    if done.returncode:
        raise RuntimeError("the network's ONNX file could not be measured")
    return json.loads(done.stdout)
