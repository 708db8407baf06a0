"""What a search has found so far, read from its directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasnet_keras.genotypes import Genotype
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import SearchState, Trained, replay
from nasnet_keras.search.report.ranking import best_children
from nasnet_keras.search.spaces.registry import get_space
from nasnet_keras.search.spaces.space import Space


@dataclass(frozen=True)
class History:
    """All of a search; also of one that goes on.

    Attributes:
        config: What the search is.
        space: Its space.
        trained: The children that have a reward, in the order in which they ended.
        state: The counts at the journal's end.
    """

    config: dict[str, Any]
    space: Space
    trained: list[Trained]
    state: SearchState

    def best(self, count: int) -> list[Trained]:
        """Returns the children of the highest rewards, best first, among equals the first asked."""
        return sorted(self.trained, key=lambda child: (-child.reward, child.number))[:count]


def read_history(run_dir: RunDirectory) -> History:
    """Reads the whole journal.

    Raises:
        JournalError: The journal is damaged.
        OSError: A file cannot be read.
        ValueError: The directory holds no search.
    """
    config = run_dir.read_config()
    state = SearchState()
    trained = []
    for event, _, _ in replay(run_dir.journal, state):
        child = state.take_trained() if event["event"] == "result" else None
        if child is not None:
            trained.append(child)
    return History(config, space_of(config), trained, state)


def space_of(config: Mapping[str, Any]) -> Space:
    """Returns the space of a search from its configuration.

    Raises:
        ValueError: It is not one that can be made by name.
    """
    values = dict(config["space"])
    return get_space(values.pop("space"), **values)


def found_genotype(run_dir: RunDirectory, number: int | None = None) -> tuple[int, Genotype]:
    """Returns a cell that a search proposed.

    Args:
        run_dir: The search.
        number: The proposal's number; `None`: the child of the highest reward.

    Returns:
        The number, and the genotype, named after its canonical form.

    Raises:
        JournalError: The journal is damaged.
        OSError: A file cannot be read.
        ValueError: There is no search, no such proposal, no reward yet, or the space has no cells.
    """
    space = space_of(run_dir.read_config())
    if number is None:
        children, _ = best_children(run_dir.journal, 1)
        if not children:
            raise ValueError(f"{run_dir.path}: no child has a reward yet")
        number, architecture = children[0].number, children[0].architecture
    else:
        state = SearchState()
        architecture = None
        for event, _, _ in replay(run_dir.journal, state):
            if event["event"] == "asked" and event["number"] == number:
                architecture = event["architecture"]
                break
        if architecture is None:
            asked = f"0 to {state.asked - 1}" if state.asked else "none so far"
            raise ValueError(f"{run_dir.path}: no child {number}; there are {asked}")
    genotype = space.decode(architecture)
    if not isinstance(genotype, Genotype):
        raise ValueError(f"{run_dir.path}: space {space.name!r} describes no cells")
    return number, genotype
