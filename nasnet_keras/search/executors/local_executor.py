"""Children on this machine, each in its own process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from typing import Any

from nasnet_keras.files.scratch import scratch
from nasnet_keras.search.executors.executor import TIME_LIMIT, ChildFunction, Executor, Job, Outcome
from nasnet_keras.search.executors.job_process import JobLimits, read_outcome, run_job
from nasnet_keras.settings import Count, check_value

# Time beyond its limit that a job has to end by itself.
_GRACE_SECONDS = 30.0
_TERMINATION_SECONDS = 5.0
# What multiprocessing reports if the fork server died.
_UNKNOWN_EXIT = 255


@dataclass
class _Running:
    job: Job
    process: Any
    device: str | None
    began: float


class LocalExecutor(Executor):
    """Processes on this machine.

    They are forked from a server process that has only imported what they need, so that no child
    waits for its imports. When the driver dies, its children end within a second.

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
        self._limits = limits or JobLimits()
        self._running: dict[int, _Running] = {}
        self._devices = [devices[i % len(devices)] for i in range(workers)] if devices else []
        self._threads = threads or max(1, (os.cpu_count() or 1) // workers)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *preload])
        # What a child that is killed leaves there goes with the driver; also the server's socket.
        self._scratch = contextlib.ExitStack()
        self._directory = self._scratch.enter_context(scratch())
        # It imports while the driver makes the first proposals.
        forkserver.ensure_running()

    def submit(self, job: Job) -> None:
        device = self._devices.pop() if self._devices else None
        process = self._context.Process(
            target=_main,
            args=(self._child, job, self._limits, device, self._threads, str(self._directory)),
            name=f"child {job.number}",
        )
        process.start()
        self._running[job.number] = _Running(job, process, device, time.monotonic())

    def wait(self, timeout: float) -> list[Outcome]:
        sentinels = [running.process.sentinel for running in self._running.values()]
        ended = set(connection.wait(sentinels, timeout)) if sentinels else set()
        outcomes = []
        for number, running in sorted(self._running.items()):
            if running.process.sentinel in ended:
                outcomes.append(self._outcome(running))
                self._forget(number)
            elif self._limits.seconds is not None:
                # It is stuck where even its own watch thread cannot run.
                spent = time.monotonic() - running.began
                if spent > self._limits.seconds + _GRACE_SECONDS:
                    _signal(running.process, signal.SIGKILL)
        return outcomes

    def close(self) -> None:
        # A training run saves itself on this signal.
        for running in self._running.values():
            _signal(running.process, signal.SIGTERM)
        end = time.monotonic() + _TERMINATION_SECONDS
        for number, running in list(self._running.items()):
            running.process.join(max(0.0, end - time.monotonic()))
            if running.process.is_alive():
                _signal(running.process, signal.SIGKILL)
                running.process.join()
            self._forget(number)
        self._scratch.close()

    def _outcome(self, running: _Running) -> Outcome:
        job, process = running.job, running.process
        process.join()
        seconds = time.monotonic() - running.began
        outcome = read_outcome(job, seconds)
        if outcome is not None:
            return outcome
        code = process.exitcode
        if code in (-signal.SIGKILL, -signal.SIGTERM, _UNKNOWN_EXIT):
            stuck = self._limits.seconds is not None and seconds > self._limits.seconds
            text = "the process was killed from outside"
            if stuck:
                text = f"{TIME_LIMIT}: more than {self._limits.seconds:g} s"
            return Outcome(job.number, error=text, lost=not stuck, seconds=seconds)
        text = f"the process was killed by signal {-code}" if code < 0 else f"exit code {code}"
        return Outcome(job.number, error=text, seconds=seconds)

    def _forget(self, number: int) -> None:
        running = self._running.pop(number)
        if running.device is not None:
            self._devices.append(running.device)
        running.process.close()


def _main(
    child: ChildFunction,
    job: Job,
    limits: JobLimits,
    device: str | None,
    threads: int,
    temporary: str,
) -> None:
    # A separate process group: the driver kills it with its children, and an interrupt from the
    # keyboard reaches only the driver.
    os.setsid()
    tempfile.tempdir = temporary
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    try:
        run_job(child, job, limits, multiprocessing.parent_process())
    except Exception:
        # It is in `error.json` and the log; multiprocessing would print it again.
        os._exit(1)


def _signal(process: Any, number: signal.Signals) -> None:
    if process.is_alive():
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            # It has no process group yet.
            process.kill()
