"""The costs of an architecture: how they are stored, limited and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """One kind of cost.

    Attributes:
        key: Its name among a child's values; a limit on it is `max_` and this.
        name: What it is called.
        unit: Of its values; empty where they are counts.
        format: Of its values.
    """

    key: str
    name: str
    unit: str
    format: str

    @property
    def heading(self) -> str:
        """The name, and the unit where there is one."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    def text(self, values: Mapping[str, Any]) -> str:
        """Returns this cost among a child's values without its unit; empty where it is not."""
        return format(values[self.key], self.format) if self.key in values else ""

    def quantity(self, values: Mapping[str, Any]) -> str:
        """Returns this cost and what it counts, e.g. `"3,303,274 parameters"` or `"12.5 ms"`."""
        return f"{self.text(values)} {self.unit or self.name}"


COSTS = (
    Cost("parameters", "parameters", "", ","),
    Cost("multiply_adds", "multiply-adds", "", ","),
    Cost("latency_ms", "latency", "ms", ",g"),
)
"""What is counted or measured of every child, in the order of tables."""


def known_costs(several: Iterable[Mapping[str, Any]]) -> list[Cost]:
    """Returns the costs that any of several children's values have."""
    keys = set().union(*several)
    return [cost for cost in COSTS if cost.key in keys]
