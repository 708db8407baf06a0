"""Architectures of a given list, one after another."""

from __future__ import annotations

from collections.abc import Sequence

from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.search.strategies.strategy import Strategy


class Listed(Strategy):
    """Proposes the architectures of a list and learns nothing.

    The list is not part of the search's identity, so a longer list with the same beginning resumes
    it.

    Args:
        space: The space of the architectures.
        architectures: What to propose, in order.
        seed: Not used here; the children's seeds depend on it.

    Raises:
        ValueError: One is not an architecture of the space.
    """

    name = "listed"

    def __init__(self, space: Space, architectures: Sequence[Sequence[int]], seed: int = 0) -> None:
        super().__init__(space, seed)
        self._architectures = [space.check(architecture) for architecture in architectures]

    @property
    def finished(self) -> bool:
        return self._next_number >= len(self._architectures)

    def _propose(self, number: int) -> Architecture | None:
        return None if self.finished else self._architectures[number]
