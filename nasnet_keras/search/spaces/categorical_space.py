"""A space of arbitrary categorical decisions, e.g. the cells of a benchmark's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nasnet_keras.search.spaces.space import Architecture, Decision, Space
from nasnet_keras.text.suggestions import unknown_name


class CategoricalSpace(Space):
    """Any list of named decisions; an architecture is a dictionary from name to choice.

    The space does not know what the decisions mean, so each architecture is its own canonical form.

    Args:
        name: Short name, used in messages and files.
        choices: From a decision's name to its choices (strings, numbers or booleans, so that they
            can be saved as JSON).
        kinds: From a decision's name to its kind (see `Decision`). Default: decisions with the same
            choices are of one kind.

    Raises:
        ValueError: There are no decisions, a decision has no choices or a duplicate, a choice has a
            different type, or `kinds` has an unknown name.
    """

    def __init__(
        self,
        name: str,
        choices: Mapping[str, Sequence[Any]],
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        kinds = dict(kinds or {})
        for key in kinds:
            if key not in choices:
                raise ValueError(unknown_name("decision", key, choices))
        for key, values in choices.items():
            for value in values:
                if not isinstance(value, str | int | float):
                    raise ValueError(
                        f"decision {key!r}: a choice is a string, a number or a boolean, got "
                        f"{value!r}"
                    )
        super().__init__(
            name,
            [
                Decision(key, kinds.get(key, "|".join(map(repr, values))), tuple(values))
                for key, values in choices.items()
            ],
        )

    def config(self) -> dict[str, Any]:
        return {
            "space": self.name,
            "decisions": [[d.name, d.kind, list(d.choices)] for d in self.decisions],
        }

    def decode(self, architecture: Sequence[int]) -> dict[str, Any]:
        """Returns the choice of every decision by name.

        Raises:
            ValueError: It is not an architecture of this space.
        """
        values = self.check(architecture)
        return {d.name: d.choices[v] for d, v in zip(self.decisions, values, strict=True)}

    def encode(self, description: Mapping[str, Any]) -> Architecture:
        """Returns the indices of the choices.

        Raises:
            ValueError: A decision is missing or unknown, or a choice is not among its choices.
        """
        names = [decision.name for decision in self.decisions]
        for key in description:
            if key not in names:
                raise ValueError(unknown_name("decision", key, names))
        values = []
        for decision in self.decisions:
            if decision.name not in description:
                raise ValueError(f"decision {decision.name!r} is missing")
            choice = description[decision.name]
            if choice not in decision.choices:
                message = unknown_name("choice", choice, map(str, decision.choices))
                raise ValueError(f"decision {decision.name!r}: {message}")
            values.append(decision.choices.index(choice))
        return tuple(values)
