"""Processes of this machine, a job each, forked from one that has imported what they need."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from typing import Any

from nasnet_keras.files.scratch import scratch
from nasnet_keras.search.executors.executor import TIME_LIMIT, ChildFunction, Job, Outcome
from nasnet_keras.search.executors.job_process import JobLimits, read_outcome, run_job

# Time beyond its limit that a job has to end by itself.
_GRACE_SECONDS = 30.0
# What multiprocessing reports if the fork server died.
_UNKNOWN_EXIT = 255


class ForkServer:
    """A process that has only imported what jobs need, so that none waits for its imports.

    There is one a process: only the first of a process can choose what is imported.

    Args:
        preload: Modules to import.
        limits: What a job may use.
        threads: Threads for each job's operations.
    """

    def __init__(self, preload: Sequence[str], limits: JobLimits, threads: int) -> None:
        self._limits = limits
        self._threads = threads
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *preload])
        # What a job that is killed leaves there goes with this process; also the server's socket.
        self._scratch = contextlib.ExitStack()
        self._directory = self._scratch.enter_context(scratch())
        # It imports while this process does something else.
        forkserver.ensure_running()

    def start(self, child: ChildFunction, job: Job, environment: Mapping[str, str]) -> JobProcess:
        """Starts a job, with changes to the environment that the server was started with."""
        process: Any = self._context.Process(
            target=_main,
            args=(child, job, self._limits, environment, self._threads, str(self._directory)),
            name=f"child {job.number}",
        )
        process.start()
        return JobProcess(process, job, self._limits)

    def close(self) -> None:
        """Forgets the directory of temporary files; no job is running any more."""
        self._scratch.close()


class JobProcess:
    """The process of a job; it ends within a second when the process that started it dies.

    Attributes:
        sentinel: Ready when the process has ended, for `multiprocessing.connection.wait`.
    """

    def __init__(self, process: Any, job: Job, limits: JobLimits) -> None:
        self._process = process
        self._job = job
        self._limits = limits
        self._began = time.monotonic()
        self.sentinel: int = process.sentinel

    def kill_if_stuck(self) -> None:
        """Kills it where not even its own watch thread, which keeps the time limit, can run."""
        limit = self._limits.seconds
        if limit is not None and time.monotonic() - self._began > limit + _GRACE_SECONDS:
            self.send(signal.SIGKILL)

    def outcome(self) -> Outcome:
        """Returns how the job ended; waits for it."""
        job, limit = self._job, self._limits.seconds
        self._process.join()
        seconds = time.monotonic() - self._began
        outcome = read_outcome(job, seconds)
        if outcome is not None:
            return outcome
        code = self._process.exitcode
        if code in (-signal.SIGKILL, -signal.SIGTERM, _UNKNOWN_EXIT):
            stuck = limit is not None and seconds > limit
            text = "the process was killed from outside"
            if stuck:
                text = f"{TIME_LIMIT}: more than {limit:g} s"
            return Outcome(job.number, error=text, lost=not stuck, seconds=seconds)
        text = f"the process was killed by signal {-code}" if code < 0 else f"exit code {code}"
        return Outcome(job.number, error=text, seconds=seconds)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process and those that it started."""
        if self._process.is_alive():
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                # It has no process group yet.
                self._process.kill()

    def end(self, deadline: float) -> None:
        """Waits for its end until a moment of `time.monotonic`, then kills it."""
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self.send(signal.SIGKILL)
            self._process.join()

    def close(self) -> None:
        """Forgets the process, which has ended."""
        self._process.close()


def _main(
    child: ChildFunction,
    job: Job,
    limits: JobLimits,
    environment: Mapping[str, str],
    threads: int,
    temporary: str,
) -> None:
    # A separate process group: the driver kills it with its children, and an interrupt from the
    # keyboard reaches only the driver.
    os.setsid()
    tempfile.tempdir = temporary
    os.environ.update(environment)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    try:
        run_job(child, job, limits, multiprocessing.parent_process())
    except Exception:
        # It is in `error.json` and the log; multiprocessing would print it again.
        os._exit(1)
