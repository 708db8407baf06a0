"""Architectures given beforehand, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.search.strategies.strategy import Strategy


class Listed(Strategy):
    """Proposes the architectures of a list and learns nothing.

    The list is no part of what tells one such search from another, so a longer list that begins in
    the same way continues it.

    Args:
        space: The space of the architectures.
        architectures: What to propose, in order.
        seed: Not used here; it decides the children's seeds.

    Raises:
        ValueError: One is no architecture of the space.
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

    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:
        """A list does not depend on rewards."""
