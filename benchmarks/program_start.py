"""How long does it take to import the package, and until a program prints its help?

Each is a process of its own, in turns; by the wall and by the processor's clock, medians.

    python benchmarks/program_start.py [--rounds=9] [--output=start.json]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from absl import flags
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table

from nasnet_keras.programs import verbs
from nasnet_keras.programs.command_line import run

_ROUNDS = flags.DEFINE_integer("rounds", 9, "How often each is started.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_IMPORT_AIM, _HELP_AIM = 0.1, 0.5


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    starts = [
        ("python, nothing else", ["-c", ""], None),
        ("import nasnet_keras", ["-c", "import nasnet_keras"], _IMPORT_AIM),
        ("nasnet-keras --help", ["-m", "nasnet_keras", "--help"], _HELP_AIM),
    ]
    for verb, _module in verbs.programs():
        words = ["-m", "nasnet_keras", *verb.split(), "--help"]
        starts.append((f"nasnet-keras {verb} --help", words, _HELP_AIM))
    taken: list[list[tuple[float, float]]] = [[] for _ in starts]
    for _round in range(_ROUNDS.value):
        for times, (_name, words, _aim) in zip(taken, starts, strict=True):
            times.append(timed(words))
    rows = [row(name, times, aim) for (name, _, aim), times in zip(starts, taken, strict=True)]
    table = Table(box=box.MARKDOWN)
    for heading in rows[0]:
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for each in rows:
        table.add_row(*("-" if value is None else str(value) for value in each.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def timed(words: Sequence[str]) -> tuple[float, float]:
    """Starts Python with some words; returns the seconds of the wall and of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor


def row(what: str, times: Sequence[tuple[float, float]], aim: float | None) -> dict[str, Any]:
    walls, processors = zip(*times, strict=True)
    return {
        "what": what,
        "ms": round(1000 * median(walls)),
        "ms of processor": round(1000 * median(processors)),
        "aim": None if aim is None else round(1000 * aim),
    }


if __name__ == "__main__":
    run(main)
