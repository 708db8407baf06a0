"""Children on a Ray cluster, or on this machine through Ray."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import pickle
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from nasnet_keras.search.executors.executor import ChildFunction, Executor, Job, Outcome
from nasnet_keras.search.executors.fork_server import ForkServer
from nasnet_keras.search.executors.job_process import JobLimits, read_error, read_outcome
from nasnet_keras.search.executors.ray_cluster import RayCluster
from nasnet_keras.settings import Positive, check_value

_POLL_SECONDS = 1.0
_TERMINATION_SECONDS = 5.0


class RayExecutor(Executor):
    """Ray tasks, each with a process of its own.

    Ray's worker processes, which it uses again and again, import what children need once and fork
    each child from there. All machines must see the run directory under the same path and have this
    package installed. Ray only executes; the journal holds the state of the search.

    Args:
        child: The function that jobs run.
        workers: Concurrent tasks.
        limits: What a job may use.
        preload: Modules that Ray's workers import once.
        address: A cluster, e.g. `"auto"` or `"ray://head:10001"`; `None`: Ray on this machine.
        cpus: Cores a task, and so its threads.
        gpus: Accelerators a task; below 1, several tasks share one.
        patience: Seconds to wait for a cluster that does not answer any more, before `wait`
            gives up.

    Raises:
        ConnectionError: No cluster answers at the address within 30 s; `wait` raises it when one
            is lost, or Ray's own process on this machine.
        ValueError: Ray is not installed, a value is out of range, or no machine has what a task
            needs.
    """

    def __init__(
        self,
        child: ChildFunction,
        workers: int,
        limits: JobLimits | None = None,
        preload: Sequence[str] = (),
        address: str | None = None,
        cpus: float = 1.0,
        gpus: float = 0.0,
        patience: float = 30.0,
    ) -> None:
        super().__init__(workers)
        if cpus < 0 or gpus < 0:
            raise ValueError(f"a task has 0 cores and accelerators or more, got {cpus} and {gpus}")
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"gpus is a fraction of one accelerator or a whole number, got {gpus}")
        check_value("patience", Positive, patience)
        self._child = child
        # Those with which Ray's workers start a job's process.
        self._server = (("__main__", *preload), limits or JobLimits(), max(1, int(cpus)))
        self._running: dict[Any, tuple[Job, float]] = {}
        # With fewer cores, children beyond them would wait.
        self._cluster = RayCluster(address, math.ceil(workers * cpus), patience)
        self._ray = ray = self._cluster.ray
        try:
            self._cluster.check_resources(cpus, gpus)
        except BaseException:
            self.close()
            raise
        # The search itself retries and counts. Tasks with accelerators would get a new worker each
        # time, so that they give them back; here their processes do.
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_calls=0, max_retries=0)(_run)

    def submit(self, job: Job) -> None:
        # A small argument travels with the task; the object store may be full.
        data = self._ray.cloudpickle.dumps((self._child, job.description))
        job = dataclasses.replace(job, description=None)
        reference = self._task.options(name=f"child {job.number}").remote(data, job, *self._server)
        self._running[reference] = (job, time.monotonic())

    def wait(self, timeout: float) -> list[Outcome]:
        if not self._running:
            return []
        outcomes = []
        for reference in self._cluster.wait(list(self._running), timeout):
            job, began = self._running.pop(reference)
            outcomes.append(self._outcome(reference, job, time.monotonic() - began))
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def close(self) -> None:
        ray, running = self._ray, list(self._running)
        self._running.clear()
        if running and self._cluster.is_connected:
            for reference in running:
                ray.cancel(reference)
            _, running = ray.wait(
                running, num_returns=len(running), timeout=_TERMINATION_SECONDS + _POLL_SECONDS
            )
            for reference in running:
                ray.cancel(reference, force=True)
        self._cluster.close()

    def _outcome(self, reference: Any, job: Job, seconds: float) -> Outcome:
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except exceptions.RayTaskError as error:
            cause = error.cause or error
            text = " ".join(f"{type(cause).__name__}: {cause}".split())
            return Outcome(job.number, error=read_error(job) or text[:500], seconds=seconds)
        except exceptions.RayError as error:
            if isinstance(error, exceptions.LocalRayletDiedError):
                self._cluster.cut_off()
            # Ray's worker died, with the machine or just after the job finished.
            text = f"{type(error).__name__}: the worker was lost"
            lost = Outcome(job.number, error=text, lost=True, seconds=seconds)
            return read_outcome(job, seconds) or lost


def _run(data: bytes, job: Job, preload: Sequence[str], limits: JobLimits, threads: int) -> Outcome:
    """Runs a job in a process forked from one of this Ray worker's; `data` is of `_Pickled`."""
    # With the accelerators that Ray gave this task.
    process = _fork_server(tuple(preload), limits, threads).start(
        _Pickled(data), job, dict(os.environ)
    )
    try:
        while not connection.wait([process.sentinel], _POLL_SECONDS):
            process.kill_if_stuck()
        return process.outcome()
    finally:
        # The task was cancelled, if it still runs.
        process.send(signal.SIGTERM)
        process.end(time.monotonic() + _TERMINATION_SECONDS)
        process.close()


@functools.cache
def _fork_server(preload: Sequence[str], limits: JobLimits, threads: int) -> ForkServer:
    """Returns the one of this Ray worker, which lives as long as it does."""
    return ForkServer(preload, limits, threads)


@dataclass(frozen=True)
class _Pickled:
    """A child function that is unpickled where it is called.

    Ray's worker would else import all that the child needs, in vain.

    Attributes:
        data: Pickle of the function and its job's description.
    """

    data: bytes

    def __call__(self, job: Job) -> dict[str, Any]:
        child, description = pickle.loads(self.data)
        return child(dataclasses.replace(job, description=description))
