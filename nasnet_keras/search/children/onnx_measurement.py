"""Measures the ONNX file on its standard input, in a process that does nothing else.

    python -m nasnet_keras.search.children.onnx_measurement RUNS < model.onnx

It prints JSON: the median processor time of a prediction of one image with one thread,
`latency_ms`, and by how much opening the file and predicting raised the memory of the process,
`peak_bytes` (on Linux).
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
"""Where Linux says what memory a process has now and had at most."""

_WARM_UP = 3
# A small network's predictions are short, and vary with what else the cores do.
_LEAST_SECONDS = 0.1


def measure_onnx(content: bytes, runs: int) -> dict[str, Any]:
    """Returns the values; see above.

    Args:
        content: The file, whose input is images of a known size.
        runs: Predictions whose median time counts; more where they take less than 0.1 s together.
    """
    import numpy as np

    from nasnet_keras.export.graph.onnx_session import open_onnx

    before = _memory("VmRSS")
    session = open_onnx(content, threads=1)
    (given,) = session.get_inputs()
    images = {given.name: np.zeros((1, *given.shape[1:]), np.float32)}
    times: list[float] = []
    for _ in range(_WARM_UP):
        session.run(None, images)
    while len(times) < runs or sum(times) < _LEAST_SECONDS:
        began = time.process_time()
        session.run(None, images)
        times.append(time.process_time() - began)
    values: dict[str, Any] = {"latency_ms": round(1000 * statistics.median(times), 4)}
    if before is not None:
        values["peak_bytes"] = (_memory("VmHWM") or before) - before
    return values


def _memory(name: str) -> int | None:
    """Returns a line of `STATUS` in bytes; `None` where there is none."""
    if not STATUS.exists():
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _main() -> None:
    from nasnet_keras.export.graph.onnx_session import import_onnxruntime

    import_onnxruntime()  # Its own memory does not count.
    print(json.dumps(measure_onnx(sys.stdin.buffer.read(), int(sys.argv[1]))))


if __name__ == "__main__":
    _main()
