"""The log of a run, `metrics.jsonl`: a JSON object a line, one for each epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasnet_keras.files.atomic_files import naming
from nasnet_keras.files.input_files import check_file

LOG_NAME = "metrics.jsonl"


def append_epoch(log: Path, record: Mapping[str, Any]) -> None:
    """Writes the line of an epoch, on a line of its own also behind one that a kill cut off.

    Args:
        log: The file; made if need be.
        record: What to write, with `"epoch"` and `"step"`; of numbers and strings only.

    Raises:
        OSError: It cannot be written.
    """
    line = json.dumps(record) + "\n"
    with naming(log), log.open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())


def read_log(log: Path) -> list[dict[str, Any]]:
    """Reads the epochs of a log.

    Of an epoch that is there twice, the later line counts. What a kill left of a line is ignored,
    also where an earlier version wrote on behind it.

    Args:
        log: The file.

    Returns:
        The records by epoch.

    Raises:
        OSError: There is no such file.
    """
    check_file(log)
    records = {}
    for line in log.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line[max(0, line.rfind("{")) :])
            records[int(record["epoch"])] = {**record, "step": int(record["step"])}
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
    return [records[epoch] for epoch in sorted(records)]


def best_score(log: Path, name: str, last_step: int) -> float:
    """Returns the best finite score in a log up to a step; minus infinity where there is none.

    Args:
        log: The file; it need not exist.
        name: The score's key in the records; larger is better.
        last_step: Epochs that end later do not count.

    Raises:
        OSError: It cannot be read.
    """
    records = read_log(log) if log.exists() else []
    scores = [record.get(name, -math.inf) for record in records if record["step"] <= last_step]
    return max(filter(math.isfinite, scores), default=-math.inf)
