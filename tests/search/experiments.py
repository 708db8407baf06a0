"""Searches whose children train nothing, and what their journals tell."""

from pathlib import Path

from nasnet_keras.search import CategoricalSpace, get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job, Outcome
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from tests.search.quick_children import quick

TABLE = CategoricalSpace("table", {"a": range(4), "b": range(5)})


PNAS = get_space("pnas", num_blocks=1)


class Cut(BaseException):
    """The driver is killed."""


class Workers(SimulatedExecutor):
    """Children of different length that end in a fixed order; cut off after some of them."""

    def __init__(self, workers: int = 3, child=quick, cut_after: int | None = None) -> None:
        super().__init__(child, lambda job: 10.0 + job.seed % 17 * 100, workers)
        self.jobs: list[Job] = []
        self.cut_after = cut_after

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        super().submit(job)

    def wait(self, timeout: float) -> list[Outcome]:
        if self.cut_after is not None and len(self.jobs) > self.cut_after:
            raise Cut
        return super().wait(timeout)


class InOrder(Workers):
    """The outcomes of a journal, in its order."""

    def __init__(self, rewards: dict[int, float], workers: int = 3) -> None:
        super().__init__(workers)
        self.rewards = rewards
        self.waiting: set[int] = set()

    def submit(self, job: Job) -> None:
        self.waiting.add(job.number)

    def wait(self, timeout: float) -> list[Outcome]:
        number = next(n for n in self.rewards if n in self.waiting)
        self.waiting.remove(number)
        return [Outcome(number, {"reward": self.rewards[number]})]


def experiment(directory: Path, name: str = "evolution", space=TABLE, **options) -> Experiment:
    sizes = {
        "evolution": {"population_size": 8, "sample_size": 3},
        "reinforce": {"units": (8,), "embedding_size": 8, "batch_size": 6},
    }.get(name, {})
    lines: list[str] = []
    search = Experiment(
        RunDirectory(directory),
        get_strategy(name, space, 0, **sizes),
        {"child": "quick"},
        say=lines.append,
        **options,
    )
    search.lines = lines  # type: ignore[attr-defined]
    return search


def events(directory: Path, *kinds: str) -> list[dict]:
    found = [event for event, _ in read_journal(directory / "journal.jsonl")]
    return [event for event in found if not kinds or event["event"] in kinds]


def told(directory: Path) -> list[tuple]:
    """Everything a strategy heard and said, in order."""
    return [
        (e["event"], e["number"], tuple(e.get("architecture", ())), e.get("reward"))
        for e in events(directory, "asked", "result", "repeated", "rejected")
    ]
