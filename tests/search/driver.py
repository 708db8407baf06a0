"""A search in a process of its own, for tests that see it killed."""

import json
import subprocess
import sys
from pathlib import Path

from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.job_process import JobLimits
from nasnet_keras.search.executors.local_executor import LocalExecutor
from tests.search import quick_children

ROOT = Path(__file__).resolve().parents[2]


def start(directory: Path, child: str, budget: int) -> subprocess.Popen:
    """Starts a search of children of that name, three at once."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.search.driver", str(directory), child, str(budget)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def running(directory: Path) -> list[int]:
    """Returns the process ids of slow children that have not come to their end."""
    found = []
    for path in directory.glob("children/*/pid"):
        text = path.read_text()
        if text and not (path.parent / "ends").exists() and Path(f"/proc/{text}").exists():
            found.append(int(text))
    return found


def killed_search(executor: str, kills: int, children: int, workers: int) -> dict:
    """Runs the benchmark, which fails if the search is not as if left alone; returns its counts."""
    command = [sys.executable, "benchmarks/killed_search.py", f"--executor={executor}"]
    command += [f"--kills={kills}", f"--children={children}", f"--workers={workers}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[0])


def main(directory: str, child: str, budget: str) -> None:
    strategy = get_strategy("random", get_space("pnas", num_blocks=2))
    experiment = Experiment(RunDirectory(directory), strategy, {"child": child})
    limits = JobLimits(seconds=8.0, mebibytes=250.0) if child == "mixed" else JobLimits()
    experiment.run(LocalExecutor(getattr(quick_children, child), 3, limits), int(budget))


if __name__ == "__main__":
    main(*sys.argv[1:])
