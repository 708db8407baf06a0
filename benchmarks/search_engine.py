"""Does the search's engine keep 450 workers busy through 20,000 children?

  python benchmarks/search_engine.py --strategy=ppo --children=20000 --workers=450

The children are simulated: each takes the time that 20 epochs take, 600 s and a part that grows
with the network's multiply-adds, 8,640 s together on average (20,000 children on 500 GPUs in 4
days, Zoph et al. 2018), and its reward is a made-up function of its decisions. Proposals, journal,
snapshots and the strategy's updates are real, and workers wait while the driver computes. What a
driver killed near the end would have left is given to a new process, which goes on from there.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import flags
from measurement import check_output, resident_mebibytes, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job, Outcome
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from nasnet_keras.search.spaces.space import Space
from nasnet_keras.search.strategies.strategy import Proposal

_STRATEGY = flags.DEFINE_string("strategy", "ppo", "Strategy of the search.")
_CHILDREN = flags.DEFINE_integer("children", 20_000, "Children to train.", lower_bound=2)
_WORKERS = flags.DEFINE_integer("workers", 450, "Workers.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "File for the result.")
# What the benchmark calls itself with.
_GO_ON = flags.DEFINE_bool("go_on", False, "Go on with a search that was cut off, once.")
_RUN_DIR = flags.DEFINE_string("run_dir", None, "Directory of that search.")

_MEAN_SECONDS = 8640.0
_FIXED_SECONDS = 600.0
_SAMPLE = 200


class CutOff(BaseException):
    """The driver is gone, from one moment to the next."""


class Cluster(SimulatedExecutor):
    """Simulated workers that note how the driver does.

    Args:
        space: The space searched.
        workers: Jobs that run at once.
        at_wait: Called with the cluster whenever the driver has done all it can do.
    """

    def __init__(self, space: Space, workers: int, at_wait: Callable[["Cluster"], None]) -> None:
        super().__init__(self._train, self._seconds, workers)
        self._costs = ClassifierChild("cifar10").costs
        self._at_wait = at_wait
        generator = np.random.default_rng(0)
        sample = [space.decode(space.sample(generator)) for _ in range(_SAMPLE)]
        self._mean = float(np.mean([self._costs(g)["multiply_adds"] for g in sample]))
        self.ended = 0
        self.full_until = 0.0
        self.busy_until_full = 0.0

    def _train(self, job: Job) -> dict:
        # Of the architecture alone, and with something in it to be learned.
        blocks = job.description.normal.blocks
        good = sum("separable" in b.operation for block in blocks for b in block.branches)
        return {"reward": 0.85 + 0.01 * good + 0.02 * (job.seed % 1000) / 1000}

    def _seconds(self, job: Job) -> float:
        share = self._costs(job.description)["multiply_adds"] / self._mean
        return _FIXED_SECONDS + (_MEAN_SECONDS - _FIXED_SECONDS) * share

    def wait(self, timeout: float) -> list[Outcome]:
        self._at_wait(self)
        if len(self._running) == self.workers:
            rest = sum(end - self.now for end, *_ in self._running)
            self.full_until = self.now
            self.busy_until_full = self.busy + sum(job[3] for job in self._running) - rest
        outcomes = super().wait(timeout)
        self.ended += len(outcomes)
        return outcomes


def make_experiment(directory: str | Path) -> Experiment:
    """Returns the search."""
    space = get_space("pnas" if _STRATEGY.value == "progressive" else "nasnet")
    strategy = get_strategy(_STRATEGY.value, space)
    return Experiment(RunDirectory(directory), strategy, {"simulated": True})


def go_on() -> None:
    """Goes on with the search to where it would wait again; prints how long that took."""
    search = make_experiment(_RUN_DIR.value or "")
    began = 0.0

    def stop(cluster: Cluster) -> None:
        print(time.perf_counter() - began)
        raise CutOff

    cluster = Cluster(search.strategy.space, _WORKERS.value, stop)
    began = time.perf_counter()
    with contextlib.suppress(CutOff):
        search.run(cluster, _CHILDREN.value)


def timed_asks(search: Experiment) -> list[float]:
    """Returns a list that receives the seconds of each proposal, its key included."""
    seconds: list[float] = []
    strategy, ask = search.strategy, search.strategy.ask

    def timed(n: int = 1) -> list[Proposal]:
        start = time.perf_counter()
        proposals = ask(n)
        for proposal in proposals:
            strategy.space.key(proposal.architecture)
        seconds.append(time.perf_counter() - start)
        return proposals

    strategy.ask = timed  # type: ignore[method-assign]
    return seconds


def main(_: list[str]) -> None:
    if _GO_ON.value:
        go_on()
        return
    check_output(_OUTPUT.value)
    with tempfile.TemporaryDirectory() as temporary:
        whole, cut = Path(temporary) / "whole", Path(temporary) / "cut"
        search = make_experiment(whole)
        asks = timed_asks(search)
        memory: list[float] = []

        def note(cluster: Cluster) -> None:
            thousand = cluster.ended // 1000
            if thousand >= len(memory):
                memory.append(resident_mebibytes())
                print(f"{cluster.ended:6} children, {memory[-1]:5.0f} MiB", flush=True)
            if cluster.ended >= 0.97 * _CHILDREN.value and not cut.exists():
                # What is on disk now is what a killed driver would have left.
                cut.mkdir()
                for path in whole.iterdir():
                    shutil.copy(path, cut)

        cluster = Cluster(search.strategy.space, _WORKERS.value, note)
        began = time.perf_counter()
        state = search.run(cluster, _CHILDREN.value)
        seconds = time.perf_counter() - began
        with open(cut / "journal.jsonl", "rb") as file:
            lines = sum(1 for _ in file)
        command = [sys.executable, __file__, "--go_on", f"--run_dir={cut}"]
        command += [f"--{flag.name}={flag.value}" for flag in (_STRATEGY, _CHILDREN, _WORKERS)]
        start = time.perf_counter()
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        process_seconds = time.perf_counter() - start
    row = {
        "strategy": _STRATEGY.value,
        "children": state.trained,
        "proposals": state.asked,
        "workers": _WORKERS.value,
        "virtual_days": cluster.now / 86400,
        "busy_share": cluster.busy / (cluster.now * cluster.workers),
        "busy_share_until_budget_spent": cluster.busy_until_full
        / (cluster.full_until * cluster.workers),
        "driver_seconds": seconds,
        "proposals_per_second": state.asked / seconds,
        "mean_proposal_ms": 1000 * float(np.mean(asks)),
        "p99_proposal_ms": 1000 * float(np.quantile(asks, 0.99)),
        "memory_mib": memory,
        "journal_events": lines,
        "resume_seconds": float(output.split()[-1]),
        "resume_process_seconds": process_seconds,
    }
    for name, value in row.items():
        print(f"{name:30} {value if isinstance(value, str | int | list) else f'{value:.4g}'}")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, [row])


if __name__ == "__main__":
    run(main)
