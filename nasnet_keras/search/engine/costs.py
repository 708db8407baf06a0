"""The costs of an architecture: how they are stored, limited and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """One kind of cost.

    Attributes:
        key: Its key in a child's values; a limit on it is called `max_` and this.
        name: Its name in tables.
        unit: Unit of its values; empty for counts.
        format: Format specification of its values.
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
        """Returns this cost of a child without its unit; empty if unknown."""
        return format(values[self.key], self.format) if self.key in values else ""

    def quantity(self, values: Mapping[str, Any]) -> str:
        """Returns this cost with its unit, e.g. `"3,303,274 parameters"` or `"12.5 ms"`."""
        return f"{self.text(values)} {self.unit or self.name}"


COSTS = (
    Cost("parameters", "parameters", "", ","),
    Cost("multiply_adds", "multiply-adds", "", ","),
    Cost("latency_ms", "latency", "ms", ",g"),
    Cost("peak_bytes", "memory", "bytes", ","),
)
"""What is counted or measured for every child, in the order of the tables' columns."""


def known_costs(children: Iterable[Mapping[str, Any]]) -> list[Cost]:
    """Returns the costs that are known of any of some children."""
    keys = set().union(*children)
    return [cost for cost in COSTS if cost.key in keys]
