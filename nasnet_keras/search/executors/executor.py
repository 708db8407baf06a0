"""The interface of executors: jobs in, outcomes out, in the order in which they finish."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.settings import Count, check_value

TIME_LIMIT = "TimeLimit"
"""Prefix of the error of a job that exceeded its time limit."""


@dataclass(frozen=True)
class Job:
    """One attempt to train a child.

    Attributes:
        number: The proposal's number.
        attempt: Attempts that failed before.
        key: The same for equivalent architectures.
        description: The decoded architecture, e.g. a `Genotype`.
        seed: Seed of the training; depends only on the search's seed and the architecture, so a
            retried child trains as the first attempt would have.
        directory: Directory of the child's files.
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
        values: What the child reported, JSON-ready, with `"reward"`; `None` if it failed.
        error: Why it failed, in one line.
        lost: Whether it ended through no fault of its own: its process or machine was lost.
        seconds: How long it took.
    """

    number: int
    values: dict[str, Any] | None = None
    error: str | None = None
    lost: bool = False
    seconds: float = 0.0

    @property
    def timed_out(self) -> bool:
        """Whether the job exceeded its time limit."""
        return self.error is not None and self.error.startswith(f"{TIME_LIMIT}:")


ChildFunction = Callable[[Job], dict[str, Any]]
"""Trains one architecture; called in a process of its own.

It must be picklable: a function of a module, or an instance of a module's class. It returns
JSON-ready values with `"reward"`. A reward of `None` means that the child rejected the
architecture; `"rejected"` then says why.
"""


class Executor(abc.ABC):
    """Runs jobs; a context manager, which ends them all.

    Attributes:
        workers: Jobs that run at the same time.

    Raises:
        ValueError: `workers` is below 1.
    """

    def __init__(self, workers: int) -> None:
        check_value("workers", Count, workers)
        self.workers = workers

    @abc.abstractmethod
    def submit(self, job: Job) -> None:
        """Starts a job; at most `workers` run at the same time."""

    @abc.abstractmethod
    def wait(self, timeout: float) -> list[Outcome]:
        """Returns the outcomes of finished jobs, in the order of their numbers.

        Waits up to `timeout` seconds for the first.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends and forgets all jobs."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
