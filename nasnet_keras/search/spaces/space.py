"""What every search space is: a fixed sequence of categorical decisions."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Architecture = tuple[int, ...]
"""One choice's index a decision, in the order of `Space.decisions`."""


@dataclass(frozen=True)
class Decision:
    """One categorical decision.

    Attributes:
        name: What is decided, unique in its space, e.g. `"normal/block_2/operation_1"`.
        kind: Decisions of one kind have choices of one meaning. A controller shares its embedding
            among them, and its output head among those with equally many choices.
        choices: What may be chosen; an architecture holds indices into it.
        anchor: For a skip connection (yes or no): the index of the decision that ends the earlier
            layer; a controller compares its state there with its state here. `None` for any other.

    Raises:
        ValueError: There is no choice, or a choice is named twice.
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
            raise ValueError(f"decision {self.name!r} names a choice twice: {list(self.choices)}")


class Space(abc.ABC):
    """A set of architectures, each a sequence of categorical decisions.

    Args:
        name: Short name, used in messages, keys and files.
        decisions: The decisions in the order in which a controller makes them.

    Raises:
        ValueError: There is no decision, two have one name, or an anchor is no earlier decision.
    """

    def __init__(self, name: str, decisions: Sequence[Decision]) -> None:
        if not decisions:
            raise ValueError(f"space {name!r} has no decisions")
        names = [decision.name for decision in decisions]
        for number, decision in enumerate(decisions):
            if names.index(decision.name) != number:
                raise ValueError(f"space {name!r} has two decisions named {decision.name!r}")
            if decision.anchor is not None:
                if not 0 <= decision.anchor < number:
                    raise ValueError(
                        f"decision {decision.name!r} is anchored at decision {decision.anchor}, "
                        f"which does not come before it ({number})"
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
        """Returns what tells this space from others, JSON-ready; `"space"` is its name."""

    @abc.abstractmethod
    def decode(self, architecture: Sequence[int]) -> Any:
        """Returns what the decisions describe.

        Raises:
            ValueError: It is no architecture of this space.
        """

    @abc.abstractmethod
    def encode(self, description: Any) -> Architecture:
        """Returns decisions that `decode` turns into the description.

        Raises:
            ValueError: The description is not in this space.
        """

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        """Returns the one architecture that stands for all that build the same network.

        "The same" is the same function up to the names and the channel order of its weights. In a
        space that knows no such symmetry, every architecture stands for itself.
        """
        return self.check(architecture)

    def key(self, architecture: Sequence[int]) -> str:
        """Returns a short text that is equal for two architectures if their canonical forms are."""
        return ".".join(map(str, self.canonical(architecture)))

    def count(self) -> int:
        """Returns the number of sequences of decisions, equivalent ones included."""
        return math.prod(int(size) for size in self._sizes)

    def sample(self, generator: np.random.Generator) -> Architecture:
        """Draws every decision uniformly: the papers' random search (not uniform over networks)."""
        return tuple(int(choice) for choice in generator.integers(self._sizes))

    def mutate(self, architecture: Sequence[int], generator: np.random.Generator) -> Architecture:
        """Changes one decision to another of its choices.

        The kind of decision is drawn first, then the decision, then the choice: so an operation is
        changed as often as an input (Real et al. 2019, section 3.2), however many there are of
        each.

        Raises:
            ValueError: It is no architecture of this space, or no decision has a second choice.
        """
        mutated = list(self.check(architecture))
        kinds: dict[str, list[int]] = {}
        for number, decision in enumerate(self.decisions[: len(mutated)]):
            if len(decision.choices) > 1:
                kinds.setdefault(decision.kind, []).append(number)
        if not kinds:
            raise ValueError(f"space {self.name!r} has a single architecture: nothing to mutate")
        numbers = list(kinds.values())[generator.integers(len(kinds))]
        number = numbers[generator.integers(len(numbers))]
        step = 1 + generator.integers(int(self._sizes[number]) - 1)
        mutated[number] = int((mutated[number] + step) % self._sizes[number])
        return tuple(mutated)

    def check(self, architecture: Sequence[int]) -> Architecture:
        """Returns the architecture as a tuple of `int`.

        Raises:
            ValueError: It has another length, or a choice that does not exist; the message names
                the decision.
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
