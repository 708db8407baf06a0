"""Children on this machine, each in its own process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from multiprocessing import connection

from nasnet_keras.search.executors.executor import ChildFunction, Executor, Job, Outcome
from nasnet_keras.search.executors.fork_server import ForkServer, JobProcess
from nasnet_keras.search.executors.job_process import JobLimits
from nasnet_keras.settings import Count, check_value

_TERMINATION_SECONDS = 5.0


class LocalExecutor(Executor):
    """Processes on this machine, forked from one that has imported what they need.

    When the driver dies, its children end within a second.

    Args:
        child: The function that jobs run.
        workers: Concurrent processes.
        limits: What a job may use.
        preload: Modules to import once, in the fork server. Only the first local executor of a
            driver can choose them.
        devices: Accelerators by their `CUDA_VISIBLE_DEVICES` names, distributed over the workers;
            empty: every child sees them all.
        threads: Threads for each child's operations; `None`: the cores divided by the workers.

    Raises:
        ValueError: `workers` or `threads` is below 1.
    """

    def __init__(
        self,
        child: ChildFunction,
        workers: int,
        limits: JobLimits | None = None,
        preload: Sequence[str] = (),
        devices: Sequence[str] = (),
        threads: int | None = None,
    ) -> None:
        super().__init__(workers)
        check_value("threads", Count | None, threads)
        self._child = child
        self._running: dict[int, tuple[JobProcess, str | None]] = {}
        self._devices = [devices[i % len(devices)] for i in range(workers)] if devices else []
        threads = threads or max(1, (os.cpu_count() or 1) // workers)
        self._server = ForkServer(preload, limits or JobLimits(), threads)

    def submit(self, job: Job) -> None:
        device = self._devices.pop() if self._devices else None
        environment = {} if device is None else {"CUDA_VISIBLE_DEVICES": device}
        self._running[job.number] = self._server.start(self._child, job, environment), device

    def wait(self, timeout: float) -> list[Outcome]:
        sentinels = [process.sentinel for process, _ in self._running.values()]
        ended = set(connection.wait(sentinels, timeout)) if sentinels else set()
        outcomes = []
        for number, (process, _) in sorted(self._running.items()):
            if process.sentinel in ended:
                outcomes.append(process.outcome())
                self._forget(number)
            else:
                process.kill_if_stuck()
        return outcomes

    def close(self) -> None:
        # A training run saves itself on this signal.
        for process, _ in self._running.values():
            process.send(signal.SIGTERM)
        deadline = time.monotonic() + _TERMINATION_SECONDS
        for number, (process, _) in list(self._running.items()):
            process.end(deadline)
            self._forget(number)
        self._server.close()

    def _forget(self, number: int) -> None:
        process, device = self._running.pop(number)
        if device is not None:
            self._devices.append(device)
        process.close()
