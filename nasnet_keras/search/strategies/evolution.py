"""Regularized evolution: tournaments among the youngest (Real et al. 2019, algorithm 1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.search.strategies.strategy import Strategy
from nasnet_keras.settings import Count, check_value


class _Member(NamedTuple):
    architecture: Architecture
    reward: float


class RegularizedEvolution(Strategy):
    """Mutates the best of a random sample of the population; the oldest member dies.

    The first `population_size` proposals are random. With many children at the same time, a member
    enters the population when its result arrives. Mutations change one decision (`Space.mutate`);
    the paper's identity mutation is omitted, since it would train nothing new.

    Args:
        space: The search space.
        seed: Seed of the proposals.
        population_size: P; 100 in the paper.
        sample_size: S, members drawn with replacement for a tournament; 25 in the paper.

    Raises:
        ValueError: A size is not a whole number of at least 1, or the sample is larger than the
            population.
    """

    name = "evolution"

    def __init__(
        self, space: Space, seed: int = 0, population_size: int = 100, sample_size: int = 25
    ) -> None:
        super().__init__(space, seed)
        check_value("population_size", Count, population_size)
        check_value("sample_size", Count, sample_size)
        if sample_size > population_size:
            raise ValueError(
                f"sample_size is from 1 to population_size={population_size}, got {sample_size!r}"
            )
        self.population_size = population_size
        self.sample_size = sample_size
        self._population: deque[_Member] = deque(maxlen=population_size)

    def settings(self) -> dict[str, Any]:
        return {"population_size": self.population_size, "sample_size": self.sample_size}

    def _propose(self, number: int) -> Architecture:
        generator = self._generator(number)
        if number < self.population_size or not self._population:
            return self.space.sample(generator)[: self.space.num_decisions(number)]
        members = generator.integers(len(self._population), size=self.sample_size)
        # Ties go to the youngest, so that the population keeps drifting.
        winner = max(members.tolist(), key=lambda i: (self._population[i].reward, i))
        parent = self._population[winner].architecture
        if (length := self.space.num_decisions(number)) > len(parent):
            # Where networks grow, what is new is random.
            parent += self.space.sample(generator)[len(parent) : length]
        return self.space.mutate(parent, generator)

    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:
        if reward is not None:
            self._population.append(_Member(architecture, reward))

    def state_dict(self) -> dict[str, Any]:
        members = [[list(architecture), reward] for architecture, reward in self._population]
        return {**super().state_dict(), "population": members}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self._population.clear()
        self._population.extend(_Member(tuple(a), float(r)) for a, r in state["population"])
