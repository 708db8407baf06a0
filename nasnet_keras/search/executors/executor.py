"""What every executor is: jobs in, outcomes out, in whatever order they end."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME_LIMIT = "TimeLimit"
"""How the error of a job begins that was ended because its time was over."""


@dataclass(frozen=True)
class Job:
    """One attempt to train a child.

    Attributes:
        number: The proposal's number.
        attempt: Attempts that failed before.
        key: Names the architecture up to equivalence.
        description: What the space decoded the architecture to, e.g. a `Genotype`.
        seed: Seed of the training; depends on the run's seed and on the architecture alone, so a
            retried child trains as the first would have.
        directory: Where the child's files go.
    """

    number: int
    attempt: int
    key: str
    description: Any
    seed: int
    directory: Path


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        number: The job's number.
        values: What the child reported, JSON-ready, `"reward"` among it; `None` if it failed.
        error: One line on why it failed.
        lost: Whether it ended through no fault of its own: its process or machine was taken away.
        seconds: How long it took.
    """

    number: int
    values: dict[str, Any] | None = None
    error: str | None = None
    lost: bool = False
    seconds: float = 0.0

    @property
    def timed_out(self) -> bool:
        """Whether the job had all of its time."""
        return self.error is not None and self.error.startswith(f"{TIME_LIMIT}:")


ChildFunction = Callable[[Job], dict[str, Any]]
"""Trains one architecture; called in a process of its own.

It must survive pickling: a function of a module, or an object whose class is one's. It returns
JSON-ready values with `"reward"`. A reward of `None` means that the architecture was turned down
after all; `"rejected"` then says why.
"""


class Executor(abc.ABC):
    """Runs jobs; to be used as a context manager, which ends them all.

    Attributes:
        workers: Jobs that run at once.

    Raises:
        ValueError: There is no worker.
    """

    def __init__(self, workers: int) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise ValueError(f"workers is a whole number of 1 or more, got {workers!r}")
        self.workers = workers

    @abc.abstractmethod
    def submit(self, job: Job) -> None:
        """Starts a job; no more than `workers` at once."""

    @abc.abstractmethod
    def wait(self, timeout: float) -> list[Outcome]:
        """Returns the jobs that ended, in the order of their numbers.

        Waits up to `timeout` seconds for the first; returns none if none ended.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends all jobs, and forgets them."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
