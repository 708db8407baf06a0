"""What does a child cost on Ray, beside the same child in a process of this machine?

  python benchmarks/executors.py --children=12 --workers=2 --rounds=2

Runs the same random search on digits with each executor, in turns. A child's time is that between
two events of the journal: when its job was handed in, and when its result was there. So the imports
of a process that forks children count for those that wait for them, which the first do.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import flags
from measurement import check_output, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.search.engine.journal import read_journal

_CHILDREN = flags.DEFINE_integer("children", 12, "Children a search.", lower_bound=1)
_WORKERS = flags.DEFINE_integer("workers", 2, "Children at once.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 2, "Searches with each executor.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "File for the result.")

_EXECUTORS = ("local", "ray")


def search(executor: str, directory: Path) -> float:
    """Runs a search; returns the seconds that the command took."""
    command = [sys.executable, "-m", "nasnet_keras", "search", "run", "--strategy=random"]
    command += ["--dataset_name=digits", f"--budget={_CHILDREN.value}", f"--run_dir={directory}"]
    command += [f"--workers={_WORKERS.value}", f"--executor={executor}"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def child_times(directory: Path) -> list[tuple[float, float]]:
    """Returns the seconds of each child, and those of its training alone, by number."""
    began: dict[int, float] = {}
    times: dict[int, tuple[float, float]] = {}
    for event, _ in read_journal(directory / "journal.jsonl"):
        if event["event"] == "started":
            began[event["number"]] = event["time"]
        elif event["event"] == "result":
            number = event["number"]
            times[number] = event["time"] - began[number], event["values"]["train_seconds"]
    return [times[number] for number in sorted(times)]


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    walls: dict[str, list[float]] = {name: [] for name in _EXECUTORS}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in _EXECUTORS}
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(_ROUNDS.value):
            for name in _EXECUTORS:
                directory = Path(temporary) / f"{name}-{number}"
                walls[name].append(search(name, directory))
                times[name] += child_times(directory)
                print(f"{name}: {walls[name][-1]:.1f} s", flush=True)
    rows = []
    for name in _EXECUTORS:
        whole, training = zip(*times[name], strict=True)
        rows.append(
            {
                "executor": name,
                "children": len(whole),
                "search_seconds": statistics.median(walls[name]),
                "mean_child_seconds": statistics.mean(whole),
                "median_child_seconds": statistics.median(whole),
                "mean_train_seconds": statistics.mean(training),
            }
        )
    for key in list(rows[0])[2:]:
        local, ray = (row[key] for row in rows)
        print(f"{key:22} {local:8.2f} {ray:8.2f}   ratio {ray / local:.2f}")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


if __name__ == "__main__":
    run(main)
