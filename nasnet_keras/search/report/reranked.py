"""What became of the children that were trained again."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.report.history import History, read_history
from nasnet_keras.search.spaces.space import Architecture

_FOLDER = "rerank"


@dataclass(frozen=True)
class Reranked:
    """A child before and after.

    Attributes:
        number: Its number in the search.
        search_reward: Its reward there.
        reward: Its reward after the longer training.
        architecture: Its decisions.
    """

    number: int
    search_reward: float
    reward: float
    architecture: Architecture


def rerank_directory(run_dir: RunDirectory) -> RunDirectory:
    """Returns the directory, within that of a search, in which its best are trained again."""
    return RunDirectory(run_dir.path / _FOLDER)


def read_reranked(run_dir: RunDirectory, history: History) -> list[Reranked]:
    """Returns what `rerank` has trained so far, best first; nothing where it was never called.

    Raises:
        JournalError: A journal is damaged.
        OSError: A file cannot be read.
    """
    directory = rerank_directory(run_dir)
    if not directory.config.exists():
        return []
    searched = {child.architecture: child for child in history.trained}
    found = []
    for child in read_history(directory).best(len(history.trained)):
        before = searched[child.architecture]
        found.append(Reranked(before.number, before.reward, child.reward, child.architecture))
    return found
