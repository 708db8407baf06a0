"""A search in a process of its own, for tests that see it killed."""

import json
import subprocess
import sys
from pathlib import Path

from nasnet_keras.programs.errors import reported
from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.job_process import JobLimits
from nasnet_keras.search.executors.local_executor import LocalExecutor
from nasnet_keras.search.executors.ray_executor import RayExecutor
from tests.search import quick_children

ROOT = Path(__file__).resolve().parents[2]


def start(directory: Path, child: str, budget: int, address: str = "") -> subprocess.Popen:
    """Starts a search of children of that name.

    Three run at once on this machine, or four on the Ray cluster at an address, where each has half
    an accelerator; the file `joined` then has the id of the machine through which it is reached.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "tests.search.driver", str(directory), child, str(budget), address],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if address else subprocess.DEVNULL,
        text=True,
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


def main(directory: str, child: str, budget: str, address: str) -> None:
    strategy = get_strategy("random", get_space("pnas", num_blocks=2))
    experiment = Experiment(RunDirectory(directory), strategy, {"child": child})
    function = getattr(quick_children, child)
    if address:
        executor = RayExecutor(function, 4, address=address, cpus=0.5, gpus=0.5, patience=2)
        import ray

        Path(directory, "joined").write_text(ray.get_runtime_context().get_node_id())
        experiment.run(executor, int(budget))
        return
    limits = JobLimits(seconds=8.0, mebibytes=250.0) if child == "mixed" else JobLimits()
    experiment.run(LocalExecutor(function, 3, limits), int(budget))


if __name__ == "__main__":
    with reported():
        main(*sys.argv[1:])
