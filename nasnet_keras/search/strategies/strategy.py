"""What every search strategy is: proposals out, results in, a state that can be written down."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.search.spaces.space import Architecture, Space


@dataclass(frozen=True)
class Proposal:
    """An architecture to be trained.

    Attributes:
        number: Counts the proposals of one strategy from 0; a result names it.
        architecture: The decisions; `space.decode` turns them into what can be built.
        predicted_reward: What a surrogate expects of it; `None` where there is none.
    """

    number: int
    architecture: Architecture
    predicted_reward: float | None = None


@dataclass(frozen=True)
class Result:
    """What became of a proposal.

    Attributes:
        number: The proposal's number.
        reward: Higher is better, e.g. the held-out accuracy in [0, 1]. `None`: the child failed;
            that is no result, not a reward of 0.
    """

    number: int
    reward: float | None


class Strategy(abc.ABC):
    """Proposes architectures and learns from their rewards.

    Proposals depend on the seed, on the number of proposals asked for before, and on the results
    told before each of them, in the order told; asking for several at once is asking for them one
    by one. So replaying the same calls gives the same proposals, and so does loading a state and
    going on. On another machine or backend the last bits of a network's weights may differ, and a
    proposal with them.

    Results may come late, in any order, twice (the first one told counts) or never. A strategy
    never touches a disk, a device of its own choosing or a process.

    A strategy may propose an architecture that it proposed before, or one equivalent to it: a
    controller that converges does. Whoever trains the children looks up `space.key(architecture)`
    and tells the known reward under the new number instead of training it again; a strategy learns
    from that as from any result. `Progressive` never proposes one network twice.

    Args:
        space: The space searched.
        seed: Seed of everything random here, 0 or more.

    Raises:
        ValueError: The seed is no whole number of 0 or more.
    """

    name: str

    def __init__(self, space: Space, seed: int = 0) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"a seed is a whole number of 0 or more, got {seed!r}")
        self.space = space
        self.seed = seed
        self._next_number = 0
        self._pending: dict[int, Architecture] = {}

    @property
    def finished(self) -> bool:
        """Whether no further proposal will ever come."""
        return False

    @property
    def dead_end(self) -> str | None:
        """What not one of which has a reward, where that finished the strategy; else `None`."""
        return None

    @property
    def pending(self) -> dict[int, Architecture]:
        """Proposals without a result so far, by number."""
        return dict(self._pending)

    def settings(self) -> dict[str, Any]:
        """Returns what else tells this strategy from others of its name, JSON-ready."""
        return {}

    def ask(self, n: int = 1) -> list[Proposal]:
        """Returns up to `n` proposals.

        Fewer come, or none, where the strategy is finished or has to wait for results.

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
            ValueError: A number was never proposed, or a reward is not finite. Nothing has been
                learned then, from any of the results.
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
                    f"proposal {result.number}: a reward is a finite number, or None for a child "
                    f"that failed; got {result.reward!r}"
                )
        for result in results:
            architecture = self._pending.pop(result.number, None)
            if architecture is not None:
                reward = None if result.reward is None else float(result.reward)
                self._learn(result.number, architecture, reward)

    def state_dict(self) -> dict[str, Any]:
        """Returns the whole state, as one flat dictionary.

        Every value is a NumPy array or JSON-ready (text, numbers, lists, dictionaries), so that the
        arrays can go to an npz file and the rest to a JSON file. The arrays are copies.
        """
        return {
            **self._identity(),
            "next_number": self._next_number,
            "pending": [[number, list(a)] for number, a in self._pending.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes up where `state_dict` was called.

        Raises:
            ValueError: The state is of another strategy, space, seed or setting; the message shows
                the difference.
        """
        for key, expected in self._identity().items():
            found = state.get(key)
            if found != expected:
                raise ValueError(_difference(key, found, expected))
        self._next_number = int(state["next_number"])
        self._pending = {int(number): tuple(a) for number, a in state["pending"]}

    def _identity(self) -> dict[str, Any]:
        identity = {
            "strategy": self.name,
            "space": self.space.config(),
            "seed": self.seed,
            "settings": self.settings(),
        }
        # As it would come back from a file: tuples are lists there.
        return json.loads(json.dumps(identity))

    def _generator(self, number: int) -> np.random.Generator:
        """Returns the source of all that is random in one proposal."""
        return np.random.default_rng([self.seed, number])

    @abc.abstractmethod
    def _propose(self, number: int) -> Architecture | None:
        """Returns the next architecture, or `None` to wait or where there is none."""

    def _predicted_reward(self, number: int) -> float | None:
        """Returns what the strategy expects of the proposal it just made."""
        return None

    @abc.abstractmethod
    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:
        """Takes in the first result of a proposal; `None` is a failure."""


def _difference(key: str, found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in {**expected, **found}:
            if found.get(name) != expected.get(name):
                return _difference(f"{key} {name!r}", found.get(name), expected.get(name))
    return f"the state is of another search: its {key} is {found!r}, this one's {expected!r}"
