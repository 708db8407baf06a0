"""Children on a Ray cluster, or on this machine through Ray."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from nasnet_keras.search.executors.executor import ChildFunction, Executor, Job, Outcome
from nasnet_keras.search.executors.job_process import JobLimits, read_error, read_outcome, run_job


class RayExecutor(Executor):
    """Ray tasks, each in its own process.

    All machines must see the run directory under the same path and have this package installed. Ray
    only executes; the journal holds the state of the search.

    Args:
        child: The function that jobs run.
        workers: Concurrent tasks.
        limits: What a job may use.
        address: A cluster, e.g. `"auto"` or `"ray://head:10001"`; `None`: Ray on this machine.
        cpus: Cores a task.
        gpus: Accelerators a task; below 1, several tasks share one.
        say: Called with lines for the user.

    Raises:
        ConnectionError: There is no cluster at the address.
        ValueError: Ray is not installed, a value is out of range, or this machine has less than a
            task needs. For a cluster, which may grow, that is only a warning line.
    """

    def __init__(
        self,
        child: ChildFunction,
        workers: int,
        limits: JobLimits | None = None,
        address: str | None = None,
        cpus: float = 1.0,
        gpus: float = 0.0,
        say: Callable[[str], None] = print,
    ) -> None:
        super().__init__(workers)
        if cpus < 0 or gpus < 0:
            raise ValueError(f"a task has 0 cores and accelerators or more, got {cpus} and {gpus}")
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"gpus is a fraction of one accelerator or a whole number, got {gpus}")
        ray = import_ray()
        self._ray = ray
        self._limits = limits or JobLimits()
        self._running: dict[Any, tuple[Job, float]] = {}
        self._started_ray = not ray.is_initialized()
        if self._started_ray:
            options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
            if address is None:
                # Otherwise children beyond the cores would wait.
                options["num_cpus"] = max(os.cpu_count() or 1, int(-(-workers * cpus // 1)))
                options["include_dashboard"] = False
            ray.init(address=address or "local", **options)
        try:
            self._check_resources(cpus, gpus, address, say)
        except BaseException:
            self.close()
            raise
        self._child = ray.put(child)
        # A new process for each child, so that none inherits another's memory. The search itself
        # retries and counts.
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_calls=1, max_retries=0)(run_job)

    def submit(self, job: Job) -> None:
        reference = self._task.options(name=f"child {job.number}").remote(
            self._child, job, self._limits
        )
        self._running[reference] = (job, time.monotonic())

    def wait(self, timeout: float) -> list[Outcome]:
        ray = self._ray
        if not self._running:
            return []
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout)
        if ready:
            # And all others that have finished.
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        outcomes = []
        for reference in ready:
            job, began = self._running.pop(reference)
            outcomes.append(self._outcome(reference, job, time.monotonic() - began))
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def close(self) -> None:
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        if self._started_ray and self._ray.is_initialized():
            self._ray.shutdown()

    def _check_resources(
        self, cpus: float, gpus: float, address: str | None, say: Callable[[str], None]
    ) -> None:
        """Refuses requirements that no machine meets: tasks would wait for ever."""
        machines = [
            (node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
            for node in self._ray.nodes()
            if node["Alive"]
        ]
        if any(cores >= cpus and devices >= gpus for cores, devices in machines):
            return
        most = ", ".join(f"{c:g} CPU and {d:g} GPU" for c, d in sorted(set(machines)))
        text = f"a child needs {cpus:g} CPU and {gpus:g} GPU"
        if self._started_ray and address in (None, "local"):
            raise ValueError(f"{text}, but this machine has {most}")
        say(f"{text}, but no machine has that; children wait until one joins (now: {most})")

    def _outcome(self, reference: Any, job: Job, seconds: float) -> Outcome:
        exceptions = self._ray.exceptions
        try:
            return Outcome(job.number, self._ray.get(reference), seconds=seconds)
        except exceptions.RayTaskError as error:
            cause = error.cause or error
            text = " ".join(f"{type(cause).__name__}: {cause}".split())
            return Outcome(job.number, error=read_error(job) or text[:500], seconds=seconds)
        except exceptions.RayError as error:
            # The worker died: by its own limit, with the machine, or just after it finished.
            text = f"{type(error).__name__}: the worker was lost"
            lost = Outcome(job.number, error=text, lost=True, seconds=seconds)
            return read_outcome(job, seconds) or lost


def import_ray() -> Any:
    """Returns the module.

    Raises:
        ValueError: Ray is not installed; the message says how to install it.
    """
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise ValueError(
            "Ray is not installed: pip install 'nasnet-keras[search]', or use --executor=local"
        ) from None
    return ray
