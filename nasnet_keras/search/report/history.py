"""The results of a search so far, read from its directory."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.genotypes import NetworkGenotype
from nasnet_keras.search.engine.run_directory import RunDirectory, SearchConfig
from nasnet_keras.search.engine.search_state import SearchState, Trained, replay
from nasnet_keras.search.spaces.registry import get_space
from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.settings import check_value

_RERANK_FOLDER = "rerank"


@dataclass(frozen=True)
class History:
    """Everything about a search, finished or running.

    Attributes:
        path: The directory.
        config: The configuration.
        proposals: All architectures, in the order of their numbers.
        trained: The children with a reward, in the order in which they finished.
        state: The state at the journal's end.
    """

    path: Path
    config: SearchConfig
    proposals: list[Architecture]
    trained: list[Trained]
    state: SearchState

    @functools.cached_property
    def space(self) -> Space:
        """The space.

        Raises:
            ValueError: It cannot be created by name.
        """
        values = dict(self.config.space)
        return get_space(values.pop("space"), **values)

    @property
    def objective(self) -> dict[str, Any]:
        """How a cost is weighed against accuracy in the reward; empty where accuracy is all.

        Raises:
            ValueError: The configuration does not say so in a table.
        """
        objective = self.config.child.get("objective", {})
        check_value("child.objective", dict, objective)
        return objective

    @property
    def rewarded_with(self) -> str:
        """What the rewards are, in a word."""
        return "reward" if self.objective else "accuracy"

    @property
    def ranked(self) -> list[Trained]:
        """The children with a reward, best first."""
        return sorted(self.trained, key=lambda child: child.rank)

    def best(self, count: int) -> list[Trained]:
        """Returns the children with the highest rewards, best first.

        Args:
            count: How many at most.

        Raises:
            ValueError: `count` is below 1, or no child has a reward.
        """
        if count < 1:
            raise ValueError(f"count is at least 1, got count={count}")
        if not self.trained:
            raise ValueError(f"{self.path}: no child has a reward yet")
        return self.ranked[:count]

    def genotype(self, number: int) -> NetworkGenotype:
        """Returns a proposal's cells or layers, named after their canonical form.

        Raises:
            ValueError: The proposal does not exist, or the space describes no networks.
        """
        if not 0 <= number < len(self.proposals):
            asked = f"0 to {len(self.proposals) - 1}" if self.proposals else "none so far"
            raise ValueError(f"{self.path}: no child {number}; there are {asked}")
        genotype = self.space.decode(self.proposals[number])
        if not isinstance(genotype, NetworkGenotype):
            raise ValueError(f"{self.path}: space {self.space.name!r} does not describe networks")
        return genotype


def read_history(run_dir: RunDirectory) -> History:
    """Reads the whole journal.

    Raises:
        JournalError: The journal is damaged.
        OSError: A file cannot be read.
        ValueError: The directory does not hold a search.
    """
    config = run_dir.read_config()
    state = SearchState()
    proposals, trained = [], []
    for event, _, _ in replay(run_dir.journal, state):
        if event["event"] == "asked":
            proposals.append(tuple(event["architecture"]))
        if state.just_trained is not None:
            trained.append(state.just_trained)
    return History(run_dir.path, config, proposals, trained, state)


@dataclass(frozen=True)
class Reranked:
    """A retrained child: its number and accuracy in the search, and its new accuracy."""

    number: int
    search_accuracy: float
    accuracy: float


def rerank_directory(run_dir: RunDirectory) -> RunDirectory:
    """Returns the directory, within that of a search, where its best children are retrained."""
    return RunDirectory(run_dir.path / _RERANK_FOLDER)


def read_rerank_history(run_dir: RunDirectory) -> History | None:
    """Returns the history of `rerank`; `None` if it was never called.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read.
    """
    directory = rerank_directory(run_dir)
    return read_history(directory) if directory.config.exists() else None


def read_reranked(run_dir: RunDirectory, history: History) -> list[Reranked]:
    """Returns what `rerank` has trained so far, best first.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read.
    """
    again = read_rerank_history(run_dir)
    if again is None:
        return []
    searched = {child.architecture: child for child in history.trained}
    found = []
    for child in again.ranked:
        before = searched[child.architecture]
        found.append(Reranked(before.number, before.accuracy, child.accuracy))
    return found
