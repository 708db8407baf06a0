"""Workers on a Ray cluster, of which each step takes the first results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nasnet_keras.ray_cluster import import_ray
from nasnet_keras.text.plain_text import line
from nasnet_keras.training.backup_workers.actor import Compute, Worker

_POLL_SECONDS = 0.5
_SILENT_SECONDS = 5.0
_DEATHS_PER_WORKER = 3


class StepGivenUp(Exception):
    """The process was told to stop before the step at hand was done.

    It is not waited for: whoever takes this machine away may do so with the workers' as well.
    """


class WorkerError(ValueError):
    """A worker cannot start or compute, and neither could another one in its place."""


@dataclass(eq=False)
class _Member:
    """A worker as its pool sees it; of step -1 while it starts, new if another one has died."""

    number: int
    actor: Any
    step: int = -1
    share: int = -1
    is_new: bool = False


class WorkerPool:
    """Processes that compute the shares of steps; a step is done with the first results.

    Each of all workers is given a share of a step as soon as it is free. Once as many results as
    needed are there the step is over; a worker that is late goes on to the step that is then at
    hand, and what it was late with is dropped. A worker that dies is replaced by a new process,
    which starts as soon as the cluster has room: also on a machine that has joined since.

    A share is a number below the number of workers. What it is computes to depends on step, share
    and state alone, so that it does not matter who computes it.

    Args:
        make: Called in each process once; returns what computes.
        needed: Results that make a step.
        spare: Workers beyond that.
        cpus: Cores of a worker.
        gpus: Accelerators of a worker.
        go_on: Where fewer workers than needed are left, those compute the other shares, too.
        turn_steps: Steps after which each worker moves on to the next share, so that one that is
            always late does not always miss the same one; 0: never.
        environment: Variables of the environment of the processes.
        say: Called with lines for the user.
        asked_to_stop: Returns whether to stop; see `StepGivenUp`.
    """

    def __init__(
        self,
        make: Callable[[], Compute],
        needed: int,
        spare: int = 0,
        cpus: float = 1.0,
        gpus: float = 0.0,
        go_on: bool = False,
        turn_steps: int = 0,
        environment: dict[str, str] | None = None,
        say: Callable[[str], None] = print,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ray = ray = import_ray()
        self.needed = needed
        self.workers = needed + spare
        self._go_on = go_on
        self._turn_steps = turn_steps
        self._say = say
        self._asked_to_stop = asked_to_stop
        self._make = ray.put(make)
        self._type = ray.remote(
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=0,
            runtime_env={"env_vars": environment or {}},
        )(Worker)
        self._idle: list[_Member] = []
        # By what they are to bring next.
        self._busy: dict[Any, _Member] = {}
        self._deaths = 0
        for number in range(self.workers):
            self._start(number)

    def wait_until_ready(self, seconds: float, workers: int | None = None) -> None:
        """Waits until workers have started.

        Args:
            seconds: How long to wait at most.
            workers: How many; by default as many as a step needs.

        Raises:
            StepGivenUp: The process was told to stop.
            ValueError: Too few came, or one cannot start.
        """
        workers = workers or self.needed
        patience = _Patience(self._say, self._asked_to_stop)
        while len(self._idle) < workers:
            ready = f"{len(self._idle)} of {workers} workers are there"
            if patience.seconds >= seconds:
                raise ValueError(
                    f"waited {seconds:g} s, and {ready}: has the cluster room for more? "
                    "worker_timeout_secs waits longer"
                )
            patience.check(f"waiting for workers, {seconds:g} s at most: {ready}")
            self._collect(-1, {})

    def step(self, number: int, state: Any) -> list[Any]:
        """Computes a step.

        Args:
            number: Its number, other than that of any step before.
            state: What shares are computed from; it is sent to all workers.

        Returns:
            The first results, in the order of their shares.

        Raises:
            StepGivenUp: The process was told to stop.
            WorkerError: A share cannot be computed, or workers die again and again.
        """
        results: dict[int, Any] = {}
        patience = _Patience(self._say, self._asked_to_stop)
        patience.check()
        try:
            reference = self._ray.put(state)
            while len(results) < self.needed:
                self._hand_out(number, reference, results)
                live = self._live
                missing = f"{live} of {self.needed} workers are there; others are started"
                patience.check(missing if live < self.needed else "")
                self._collect(number, results)
        except self._ray.exceptions.RayError as error:
            raise WorkerError(f"Ray has failed: {line(str(error))}") from error
        self._deaths = 0
        return [results[share] for share in sorted(results)]

    def close(self) -> None:
        """Ends all workers."""
        # They end with this process too; and when it is told to stop, Ray may not answer any more.
        if not self._asked_to_stop():
            for member in [*self._idle, *self._busy.values()]:
                self._ray.kill(member.actor)
        self._idle, self._busy = [], {}

    @property
    def _live(self) -> int:
        """Workers that have started and are not known to be dead."""
        return len(self._idle) + sum(member.step >= 0 for member in self._busy.values())

    def _start(self, number: int, is_new: bool = False) -> None:
        actor = self._type.remote()
        self._busy[actor.prepare.remote(self._make)] = _Member(number, actor, is_new=is_new)

    def _hand_out(self, step: int, state: Any, results: dict[int, Any]) -> None:
        """Gives free workers the shares of a step that nobody has."""
        taken = {*results, *(m.share for m in self._busy.values() if m.step == step)}
        for member in list(self._idle):
            share = self._share_of(member, step)
            if share in taken and self._go_on and self._live < self.needed:
                share = next((each for each in range(self.workers) if each not in taken), share)
            if share in taken:
                continue
            taken.add(share)
            self._idle.remove(member)
            member.step, member.share = step, share
            self._busy[member.actor.compute.remote(step, share, state)] = member

    def _share_of(self, member: _Member, step: int) -> int:
        turns = step // self._turn_steps if self._turn_steps else 0
        return (member.number + turns) % self.workers

    def _collect(self, step: int, results: dict[int, Any]) -> None:
        """Waits a moment for workers to end what they do; takes results of a step."""
        if not self._busy:
            time.sleep(_POLL_SECONDS)
            return
        # Results that nobody takes are not fetched.
        wait = {"fetch_local": False}
        ready, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=_POLL_SECONDS, **wait)
        if ready:
            ready, _ = self._ray.wait(
                list(self._busy), num_returns=len(self._busy), timeout=0, **wait
            )
        for reference in ready:
            member = self._busy.pop(reference)
            is_late = 0 <= member.step < step or len(results) == self.needed
            try:
                result = None if is_late else self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise WorkerError(f"worker {member.number}: {_reason(error)}") from error
            except self._ray.exceptions.RayError as error:
                self._replace(member, error)
                continue
            if member.step == step >= 0 and not is_late:
                results[member.share] = result
            elif member.step < 0 and member.is_new:
                self._say(f"worker {member.number} has started anew")
            self._idle.append(member)
        self._idle.sort(key=lambda member: member.number)

    def _replace(self, member: _Member, error: Exception) -> None:
        if self._asked_to_stop():
            # All of Ray may be going, and it would be waited for.
            raise StepGivenUp
        self._deaths += 1
        if self._deaths >= _DEATHS_PER_WORKER * self.workers:
            raise WorkerError(
                f"{self._deaths} workers have died and no step was done meanwhile; the last: "
                f"{line(str(error))}"
            )
        self._say(f"worker {member.number} died ({type(error).__name__}); another is started")
        # Ray may only have lost sight of it.
        self._ray.kill(member.actor)
        self._start(member.number, is_new=True)


class _Patience:
    """How long something takes; says so once, and ends it where the process was told to stop."""

    def __init__(self, say: Callable[[str], None], asked_to_stop: Callable[[], bool]) -> None:
        self._began = time.monotonic()
        self._said = False
        self._say = say
        self._asked_to_stop = asked_to_stop

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def check(self, text: str = "") -> None:
        """Says a text once it takes long.

        Raises:
            StepGivenUp: The process was told to stop.
        """
        if self._asked_to_stop():
            raise StepGivenUp
        if text and not self._said and self.seconds >= _SILENT_SECONDS:
            self._say(text)
            self._said = True


def _reason(error: Any) -> str:
    cause = error.cause or error
    text = line(str(cause))
    return text if isinstance(cause, ValueError) else f"{type(cause).__name__}: {text}"
