"""The interface of search spaces: a fixed sequence of categorical decisions."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Architecture = tuple[int, ...]
"""The index of a choice for each of `Space.decisions`."""


@dataclass(frozen=True)
class Decision:
    """One categorical decision.

    Attributes:
        name: What is decided, unique in its space, e.g. `"normal/block_2/operation_1"`.
        kind: Choices have the same meaning in all decisions of a kind. A controller shares its
            embedding among these, and its output head among those with equally many choices.
        choices: The choices; an architecture contains indices into it.
        anchor: For a skip connection (yes or no): the index of the last decision of the earlier
            layer, whose controller state is compared with the current one. Otherwise `None`.

    Raises:
        ValueError: There are no choices, or duplicate ones.
    """

    name: str
    kind: str
    choices: tuple[Any, ...]
    anchor: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices))
        if not self.choices:
            raise ValueError(f"decision {self.name!r} has no choices")
        if len(set(self.choices)) != len(self.choices):
            raise ValueError(f"decision {self.name!r} has a choice twice: {list(self.choices)}")


class Space(abc.ABC):
    """A set of architectures, each a sequence of categorical decisions.

    Args:
        name: Short name, used in messages, keys and files.
        decisions: The decisions in the order in which a controller makes them.

    Raises:
        ValueError: There are no decisions, names repeat, or an anchor is not an earlier decision.
    """

    def __init__(self, name: str, decisions: Sequence[Decision]) -> None:
        if not decisions:
            raise ValueError(f"space {name!r} has no decisions")
        names = [decision.name for decision in decisions]
        for index, decision in enumerate(decisions):
            if names.index(decision.name) != index:
                raise ValueError(f"space {name!r} has two decisions named {decision.name!r}")
            if decision.anchor is not None:
                if not 0 <= decision.anchor < index:
                    raise ValueError(
                        f"decision {decision.name!r} is anchored at decision {decision.anchor}, "
                        f"which does not come before it ({index})"
                    )
                if len(decision.choices) != 2:
                    raise ValueError(
                        f"decision {decision.name!r} has an anchor, so it is a yes or no; got "
                        f"{len(decision.choices)} choices"
                    )
        self.name = name
        self.decisions = tuple(decisions)
        self._sizes = np.array([len(decision.choices) for decision in decisions])

    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """Returns what identifies this space, JSON-ready; `"space"` is its name."""

    @abc.abstractmethod
    def decode(self, architecture: Sequence[int]) -> Any:
        """Returns what the decisions describe.

        Raises:
            ValueError: It is not an architecture of this space.
        """

    @abc.abstractmethod
    def encode(self, description: Any) -> Architecture:
        """Returns decisions that `decode` turns into the description.

        Raises:
            ValueError: The description is not in this space.
        """

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        """Returns the representative of all architectures that build the same network.

        "The same" is the same function up to the names and the channel order of its weights. In a
        space without such symmetry, it is the architecture itself.
        """
        return self.check(architecture)

    def num_decisions(self, number: int) -> int:
        """Returns how many decisions a proposal makes: the first ones of `decisions`.

        Args:
            number: The proposal's number; networks may grow during a search.
        """
        return len(self.decisions)

    def key(self, architecture: Sequence[int]) -> str:
        """Returns a short text that identifies the canonical form."""
        return ".".join(map(str, self.canonical(architecture)))

    def count(self) -> int:
        """Returns the number of sequences of decisions, equivalent ones included."""
        return math.prod(int(size) for size in self._sizes)

    def sample(self, generator: np.random.Generator) -> Architecture:
        """Draws every decision uniformly: the papers' random search (not uniform over networks)."""
        return tuple(int(choice) for choice in generator.integers(self._sizes))

    def mutate(self, architecture: Sequence[int], generator: np.random.Generator) -> Architecture:
        """Changes one decision to another of its choices.

        The kind is drawn first, then the decision, then the choice: so operations are changed as
        often as inputs (Real et al. 2019, section 3.2), however many there are of each.

        Raises:
            ValueError: It is not an architecture of this space, or no decision has a second choice.
        """
        mutated = list(self.check(architecture))
        kinds: dict[str, list[int]] = {}
        for index, decision in enumerate(self.decisions[: len(mutated)]):
            if len(decision.choices) > 1:
                kinds.setdefault(decision.kind, []).append(index)
        if not kinds:
            raise ValueError(f"space {self.name!r} has a single architecture: nothing to mutate")
        indices = list(kinds.values())[generator.integers(len(kinds))]
        index = indices[generator.integers(len(indices))]
        step = 1 + generator.integers(int(self._sizes[index]) - 1)
        mutated[index] = int((mutated[index] + step) % self._sizes[index])
        return tuple(mutated)

    def check(self, architecture: Sequence[int]) -> Architecture:
        """Returns the architecture as a tuple of `int`.

        Raises:
            ValueError: The length is wrong, or a choice does not exist; the message names it.
        """
        values = self._as_tuple(architecture)
        if len(values) != len(self.decisions):
            raise ValueError(
                f"an architecture of space {self.name!r} has {len(self.decisions)} decisions, got "
                f"{len(values)}"
            )
        return self._check_choices(values)

    def _as_tuple(self, architecture: Sequence[int]) -> Architecture:
        try:
            array = np.asarray(architecture)
        except ValueError:
            array = np.empty((0, 0))
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(
                f"an architecture of space {self.name!r} is a sequence of whole numbers, got "
                f"{architecture!r}"
            )
        return tuple(int(value) for value in array)

    def _check_choices(self, values: Architecture) -> Architecture:
        for decision, value in zip(self.decisions, values, strict=False):
            if not 0 <= value < len(decision.choices):
                raise ValueError(
                    f"decision {decision.name!r} has choices 0 to {len(decision.choices) - 1}, "
                    f"got {value}"
                )
        return values
