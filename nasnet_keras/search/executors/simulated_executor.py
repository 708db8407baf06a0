"""An executor in virtual time, to test or measure a search of weeks in minutes."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable

from nasnet_keras.search.executors.executor import ChildFunction, Executor, Job, Outcome


class SimulatedExecutor(Executor):
    """Workers that only wait, in virtual time.

    The driver's real time is added to it: while the driver computes, idle workers stay idle.

    Args:
        child: Returns a job's values at once, or raises.
        duration: Returns a job's duration, in seconds of virtual time.
        workers: Concurrent jobs.

    Attributes:
        now: Seconds of virtual time since the start.
        busy: Total seconds of the finished jobs.
    """

    def __init__(
        self, child: ChildFunction, duration: Callable[[Job], float], workers: int
    ) -> None:
        super().__init__(workers)
        self._child = child
        self._duration = duration
        self._running: list[tuple[float, int, Job, float]] = []
        self._returned = time.perf_counter()
        self.now = 0.0
        self.busy = 0.0

    def submit(self, job: Job) -> None:
        if len(self._running) >= self.workers:
            raise RuntimeError(f"job {job.number}: all {self.workers} workers are busy")
        self._pass_time()
        seconds = self._duration(job)
        heapq.heappush(self._running, (self.now + seconds, job.number, job, seconds))

    def wait(self, timeout: float) -> list[Outcome]:
        self._pass_time()
        outcomes: list[Outcome] = []
        # Advance to the next end, however far: virtual time costs nothing.
        while self._running and (not outcomes or self._running[0][0] <= self.now):
            end, number, job, seconds = heapq.heappop(self._running)
            self.now = max(self.now, end)
            self.busy += seconds
            try:
                outcomes.append(Outcome(number, self._child(job), seconds=seconds))
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                outcomes.append(Outcome(number, error=text, seconds=seconds))
        self._returned = time.perf_counter()
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def close(self) -> None:
        self._running.clear()

    def _pass_time(self) -> None:
        moment = time.perf_counter()
        self.now += moment - self._returned
        self._returned = moment
