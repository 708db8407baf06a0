"""Do the workers of three machines stay busy, and what does their driver need?

  python benchmarks/ray_nodes.py --children=400 --workers=24 --seconds=10

Starts a Ray cluster of three machines, each a process with cores of its own (they need not exist:
a child only waits), and a head without any. A random search trains its children on them. Engine,
journal, executor, and the processes that Ray's workers fork for the children are the real ones.
Each child waits between half and one and a half times `--seconds`.
"""

import functools
import os
import tempfile
import time
from collections import Counter

import numpy as np
from absl import flags
from measurement import check_output, resident_mebibytes, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.ray_cluster import import_ray
from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job, Outcome
from nasnet_keras.search.executors.ray_executor import RayExecutor

_CHILDREN = flags.DEFINE_integer("children", 400, "Children to train.", lower_bound=1)
_WORKERS = flags.DEFINE_integer("workers", 24, "Children at once.", lower_bound=3)
_MACHINES = flags.DEFINE_integer("machines", 3, "Machines beside the head.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 10.0, "What a child takes on average.", lower_bound=0.1)
_OUTPUT = flags.DEFINE_string("output", None, "File for the result.")

# A child of the paper's search: 20,000 on 500 accelerators in four days.
_PAPER_SECONDS = 8640.0


def wait_a_while(seconds: float, job: Job) -> dict:
    """A child that waits; says when and on which machine."""
    began = time.time()
    time.sleep(seconds * (0.5 + (job.seed % 1000) / 1000))
    # Ray's worker, which forked this process, is a child of its machine's process.
    machine = int(os.environ["RAY_RAYLET_PID"])
    reward = (job.seed % 997) / 997
    return {"reward": reward, "began": began, "ended": time.time(), "machine": machine}


class MeasuredExecutor(RayExecutor):
    """Notes the driver's memory whenever children have ended."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.mebibytes: list[int] = []

    def wait(self, timeout: float) -> list[Outcome]:
        outcomes = super().wait(timeout)
        if outcomes:
            self.mebibytes.append(round(resident_mebibytes()))
        return outcomes


def search(address: str, directory: str) -> tuple[list[dict], list[int]]:
    """Runs the search; returns what each child said, and the driver's memory over time."""
    strategy = get_strategy("random", get_space("nasnet"), 0)
    experiment = Experiment(RunDirectory(directory), strategy, {"waits": True})
    child = functools.partial(wait_a_while, _SECONDS.value)
    executor = MeasuredExecutor(child, _WORKERS.value, address=address)
    experiment.run(executor, _CHILDREN.value)
    events = read_journal(experiment.run_dir.journal)
    said = [event["values"] for event, _ in events if event["event"] == "result"]
    return said, executor.mebibytes


def summary(children: list[dict], workers: int) -> dict:
    """Returns how busy the workers were, from what the children said."""
    began, ended = (np.array([each[name] for each in children]) for name in ("began", "ended"))
    seconds = float((ended - began).mean())
    # Until the last child begins: then workers have nothing more to do.
    last = began.max()
    spent = np.minimum(ended, last) - began
    busy = float(spent.sum() / (workers * (last - began.min())))
    overhead = seconds * (1 / busy - 1)
    return {
        "children": len(children),
        "workers": workers,
        "children_by_machine": sorted(Counter(each["machine"] for each in children).values()),
        "child_seconds": seconds,
        "busy_share": busy,
        "overhead_seconds_a_child": overhead,
        "busy_share_of_the_paper_s_children": _PAPER_SECONDS / (_PAPER_SECONDS + overhead),
        "seconds": float(ended.max() - began.min()),
    }


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    import_ray()
    from ray.cluster_utils import Cluster

    workers, machines = _WORKERS.value, _MACHINES.value
    head = {"num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for number in range(machines):
            cluster.add_node(num_cpus=workers // machines + (number < workers % machines))
        with tempfile.TemporaryDirectory() as temporary:
            children, mebibytes = search(cluster.address, temporary)
    finally:
        cluster.shutdown()
    row = summary(children, workers)
    row |= {"driver_mib_first": mebibytes[0], "driver_mib_last": mebibytes[-1]}
    for name, value in row.items():
        print(f"{name:36} {f'{value:.4g}' if isinstance(value, float) else value}")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, [row])


if __name__ == "__main__":
    run(main)
