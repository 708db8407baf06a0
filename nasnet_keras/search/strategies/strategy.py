"""The interface of search strategies: proposals out, results in, and a state that can be saved."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.settings import NonNegativeInt, check_value


@dataclass(frozen=True)
class Proposal:
    """An architecture to be trained.

    Attributes:
        number: Counts the proposals of one strategy from 0; a result refers to it.
        architecture: The decisions, for `space.decode`.
        predicted_reward: A surrogate's prediction, if any.
    """

    number: int
    architecture: Architecture
    predicted_reward: float | None = None


@dataclass(frozen=True)
class Result:
    """The result of a proposal.

    Attributes:
        number: The proposal's number.
        reward: Higher is better, e.g. the held-out accuracy in [0, 1]. `None`: the child failed,
            which is not a reward of 0.
    """

    number: int
    reward: float | None


class Strategy(abc.ABC):
    """Proposes architectures and learns from their rewards.

    A proposal depends only on the seed, its number and the results told before it, in their order.
    So replaying the calls, or loading a state and continuing, gives the same proposals. On another
    machine or backend, the last bits of a network's weights may differ, and so may a proposal.

    Results may come late, in any order, twice (the first one counts) or never. A strategy never
    touches disks, processes, or devices of its own choosing.

    A strategy may propose equivalent architectures repeatedly, as a converging controller does. The
    driver looks up `space.key(architecture)` and tells the known reward under the new number
    instead of training it again.

    Args:
        space: The search space.
        seed: Seed of everything random, at least 0.

    Raises:
        ValueError: The seed is not a whole number of at least 0.
    """

    name: str

    def __init__(self, space: Space, seed: int = 0) -> None:
        check_value("seed", NonNegativeInt, seed)
        self.space = space
        self.seed = seed
        self._next_number = 0
        self._pending: dict[int, Architecture] = {}

    @property
    def finished(self) -> bool:
        """Whether there will be no further proposal."""
        return False

    @property
    def dead_end(self) -> str | None:
        """What the strategy ended with, as none has a reward, e.g. `"cell of level 2"`."""
        return None

    @property
    def pending(self) -> dict[int, Architecture]:
        """Proposals without a result, by number."""
        return dict(self._pending)

    def settings(self) -> dict[str, Any]:
        """Returns the settings that differ among strategies of this name, JSON-ready."""
        return {}

    def ask(self, n: int = 1) -> list[Proposal]:
        """Returns up to `n` proposals.

        Fewer, or none, if the strategy is finished or has to wait for results.

        Raises:
            ValueError: `n` is negative.
        """
        if n < 0:
            raise ValueError(f"ask for 0 proposals or more, got {n}")
        proposals = []
        while len(proposals) < n:
            architecture = self._propose(self._next_number)
            if architecture is None:
                break
            self._pending[self._next_number] = architecture
            predicted = self._predicted_reward(self._next_number)
            proposals.append(Proposal(self._next_number, architecture, predicted))
            self._next_number += 1
        return proposals

    def tell(self, results: Iterable[Result]) -> None:
        """Learns from results.

        Raises:
            ValueError: A number was never proposed, or a reward is not finite; nothing is learned
                then.
        """
        results = list(results)
        for result in results:
            if not 0 <= result.number < self._next_number:
                raise ValueError(
                    f"a result for proposal {result.number}, but only proposals below "
                    f"{self._next_number} were made"
                )
            if result.reward is not None and not math.isfinite(result.reward):
                raise ValueError(
                    f"proposal {result.number}: a reward is a finite number, or None for a failed "
                    f"child; got {result.reward!r}"
                )
        for result in results:
            architecture = self._pending.pop(result.number, None)
            if architecture is not None:
                reward = None if result.reward is None else float(result.reward)
                self._learn(result.number, architecture, reward)

    def state_dict(self) -> dict[str, Any]:
        """Returns the complete state as a flat dictionary.

        Every value is a NumPy array (a copy) or JSON-ready, so that it can be saved as npz and
        JSON.
        """
        return {
            **self._identity(),
            "next_number": self._next_number,
            "pending": [[number, list(a)] for number, a in self._pending.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores the state that `state_dict` returned.

        Raises:
            ValueError: The strategy, space, seed or a setting differs; the message shows it.
        """
        for key, expected in self._identity().items():
            found = state.get(key)
            if found != expected:
                raise ValueError(_difference(key, found, expected))
        self._next_number = int(state["next_number"])
        self._pending = {int(number): tuple(a) for number, a in state["pending"]}

    def _identity(self) -> dict[str, Any]:
        space, settings = self.space.config(), self.settings()
        identity = {"strategy": self.name, "space": space, "seed": self.seed, "settings": settings}
        # As read from a file: with lists for tuples.
        return json.loads(json.dumps(identity))

    def _generator(self, number: int) -> np.random.Generator:
        """Returns the random generator of one proposal."""
        return np.random.default_rng([self.seed, number])

    @abc.abstractmethod
    def _propose(self, number: int) -> Architecture | None:
        """Returns the next architecture; `None` to wait, or if there is none."""

    def _predicted_reward(self, number: int) -> float | None:
        """Returns the predicted reward of the latest proposal."""
        return None

    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:  # noqa: B027
        """Learns from the first result of a proposal; `None` is a failure. Default: nothing."""


def _difference(key: str, found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in {**expected, **found}:
            if found.get(name) != expected.get(name):
                return _difference(f"{key} {name!r}", found.get(name), expected.get(name))
    return f"the state is of a different search: its {key} is {found!r}, this one's {expected!r}"
