"""Is a search that is killed again and again the one that it would have been?

  python benchmarks/killed_search.py --kills=20 --executor=local

Runs a search whose children only wait, and kills (SIGKILL) the driver or the process of a child at
random moments; the driver is started again each time. Then checks the journal: every child is
settled once and was trained to its end once; and a new search that is never disturbed, told the
same rewards in the same order, makes the same proposals.
"""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

from nasnet_keras.programs.command_line import run
from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Executor, Job, Outcome
from nasnet_keras.search.executors.local_executor import LocalExecutor

_KILLS = flags.DEFINE_integer("kills", 20, "How often to kill.", lower_bound=0)
_CHILDREN = flags.DEFINE_integer("children", 100, "Children to train.", lower_bound=1)
_WORKERS = flags.DEFINE_integer("workers", 3, "Children at once.", lower_bound=1)
_EXECUTOR = flags.DEFINE_enum("executor", "local", ["local", "ray"], "Where children run.")
_STRATEGY = flags.DEFINE_string("strategy", "evolution", "Strategy of the search.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the moments.")
# What the benchmark calls itself with.
_RUN_DIR = flags.DEFINE_string("run_dir", None, "Run the search in this directory, undisturbed.")

_PID_NAME = "pid"
_ENDS_NAME = "ends"


def wait_a_while(job: Job) -> dict:
    """A child that takes between 0.2 and 1.2 s and notes that it came to its end."""
    (job.directory / _PID_NAME).write_text(str(os.getpid()))
    time.sleep(0.2 + (job.seed % 1000) / 1000)
    with open(job.directory / _ENDS_NAME, "a") as file:
        file.write("end\n")
    return {"reward": (job.seed % 997) / 997}


class Repeated(Executor):
    """Gives the outcomes of a journal, one by one and in its order."""

    def __init__(self, workers: int, results: dict[int, float]) -> None:
        super().__init__(workers)
        self._results = results
        self._running: set[int] = set()

    def submit(self, job: Job) -> None:
        self._running.add(job.number)

    def wait(self, timeout: float) -> list[Outcome]:
        number = next(number for number in self._results if number in self._running)
        self._running.remove(number)
        return [Outcome(number, {"reward": self._results[number]})]

    def close(self) -> None:
        pass


def make_experiment(directory: str | Path) -> Experiment:
    """Returns the search."""
    # So small a space that identical cells are proposed, as well.
    space = get_space("pnas", num_blocks=1 if _STRATEGY.value != "progressive" else 2)
    sizes = {"evolution": {"population_size": 10, "sample_size": 3}, "progressive": {}}
    options = sizes.get(_STRATEGY.value, {})
    strategy = get_strategy(_STRATEGY.value, space, 0, **options)
    return Experiment(RunDirectory(directory), strategy, {"waits": True})


def search(directory: str) -> None:
    """Runs the search to its end."""
    experiment = make_experiment(directory)
    if _EXECUTOR.value == "local":
        executor: Executor = LocalExecutor(wait_a_while, _WORKERS.value)
    else:
        from nasnet_keras.search.executors.ray_executor import RayExecutor

        executor = RayExecutor(wait_a_while, _WORKERS.value)
    experiment.run(executor, _CHILDREN.value)


def start(directory: Path) -> subprocess.Popen:
    """Starts the driver."""
    names = (_CHILDREN, _WORKERS, _EXECUTOR, _STRATEGY)
    command = [sys.executable, __file__, f"--run_dir={directory}"]
    command += [f"--{flag.name}={flag.value}" for flag in names]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def running_children(directory: Path) -> list[int]:
    """Returns the process ids of children that have not come to their end."""
    found = []
    for path in directory.glob(f"children/*/{_PID_NAME}"):
        with contextlib.suppress(ValueError):
            pid = int(path.read_text())
            if not (path.parent / _ENDS_NAME).exists() and Path(f"/proc/{pid}").exists():
                found.append(pid)
    return found


def disturb(directory: Path, moments: random.Random) -> collections.Counter:
    """Runs the search and kills what belongs to it; returns how often which."""
    kills: collections.Counter = collections.Counter()
    driver = start(directory)
    while driver.poll() is None:
        time.sleep(0.02)
        # The driver is past its imports, and there is something to lose.
        if kills.total() >= _KILLS.value or not running_children(directory):
            continue
        time.sleep(moments.uniform(0.0, 1.5))
        children = running_children(directory)
        if moments.random() < 0.5:
            driver.kill()
            driver.wait()
            kills["driver"] += 1
            driver = start(directory)
            # Its children end by themselves soon; they are not the new driver's.
            time.sleep(1.5)
        elif children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(moments.choice(children), signal.SIGKILL)
                kills["child"] += 1
    if driver.returncode:
        raise RuntimeError(f"the driver ended with exit code {driver.returncode}")
    return kills


def check(directory: Path, undisturbed: Path) -> list[str]:
    """Returns what is wrong with the search in a directory."""
    settled: collections.Counter = collections.Counter()
    results: dict[int, float] = {}
    proposals = []
    for event, _ in read_journal(directory / "journal.jsonl"):
        if event["event"] == "asked":
            proposals.append(event["architecture"])
        if event["event"] in ("result", "repeated", "rejected") or event.get("final"):
            settled[event["number"]] += 1
        if event["event"] == "result":
            results[event["number"]] = event["reward"]
    wrong = [f"child {n} was settled {settled[n]} times" for n in settled if settled[n] != 1]
    wrong += [f"child {n} was not settled" for n in range(len(proposals)) if n not in settled]
    if len(results) != _CHILDREN.value:
        wrong.append(f"{len(results)} children were trained")
    for number in results:
        ends = (directory / "children" / str(number) / _ENDS_NAME).read_text().count("end")
        if ends != 1:
            wrong.append(f"child {number} was trained {ends} times")

    make_experiment(undisturbed).run(Repeated(_WORKERS.value, results), _CHILDREN.value)
    same = [
        event["architecture"]
        for event, _ in read_journal(undisturbed / "journal.jsonl")
        if event["event"] == "asked"
    ]
    if same != proposals:
        wrong.append("undisturbed, the search makes other proposals")
    return wrong


def main(_: list[str]) -> int:
    if _RUN_DIR.value:
        search(_RUN_DIR.value)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "search"
        began = time.monotonic()
        kills = disturb(directory, random.Random(_SEED.value))
        seconds = time.monotonic() - began
        wrong = check(directory, Path(temporary) / "undisturbed")
        events = collections.Counter(
            e["event"] for e, _ in read_journal(directory / "journal.jsonl")
        )
    print(json.dumps({"kills": kills, "seconds": round(seconds, 1), "events": events}))
    for line in wrong:
        print(line)
    print("the search is as if left alone" if not wrong else f"{len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    run(main)
