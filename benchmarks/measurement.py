"""What every benchmark shares: where it runs, and a JSON file of its rows."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

import nasnet_keras as nk
from nasnet_keras.files.atomic_files import atomic_write, make_directory


def environment() -> dict[str, Any]:
    """Returns the command, the machine and the versions, for the record."""
    import keras

    result = {
        "command": " ".join(["python", *sys.argv]),
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "nasnet_keras": nk.__version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
    }
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        result["tensorflow"] = tf.__version__
    return result


def check_output(path: str | None) -> None:
    """Refuses an output file that cannot be written, before any work.

    Raises:
        OSError: Its directory cannot be made or written to.
    """
    if path:
        make_directory(os.path.dirname(path) or ".")


def use_device(device: str) -> None:
    """Keeps the framework to a kind of device.

    Raises:
        ValueError: There is none of that kind.
    """
    if device == "cpu":
        # Read when a framework first looks for devices.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["JAX_PLATFORMS"] = "cpu"
        return
    import keras

    if not keras.distribution.list_devices("gpu"):
        raise ValueError(f"--device=gpu: {keras.backend.backend()} sees no GPU here")


def write_json(path: str, rows: list[dict[str, Any]]) -> None:
    """Writes `{"environment": ..., "rows": ...}`, complete or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({"environment": environment(), "rows": rows}, indent=2))


def resident_mebibytes() -> float:
    """Returns the process's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def print_table(rows: list[dict[str, Any]], cell: Callable[[Any], str]) -> None:
    """Prints rows of the same keys as a table in Markdown, words left and numbers right.

    Args:
        rows: One or more.
        cell: What of a value is printed.
    """
    table = Table(box=box.MARKDOWN)
    for heading, value in rows[0].items():
        table.add_column(heading, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*map(cell, row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def rounded(decimals: int) -> Callable[[Any], str]:
    """Returns a `cell` of `print_table` that rounds fractions."""
    return lambda x: f"{x:,.{decimals}f}" if isinstance(x, float) else str(x)
