"""The costs of an architecture: how they are stored, limited and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """One kind of cost.

    Attributes:
        key: Its name among a child's values; a limit on it is `max_` and this.
        name: What it is called.
        unit: Of its values; empty where they are counts.
        format: How `format` writes a value.
    """

    key: str
    name: str
    unit: str = ""
    format: str = ",.0f"

    @property
    def heading(self) -> str:
        """The name, and the unit where there is one."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    def text(self, value: float) -> str:
        """Returns a value without its unit."""
        return format(value, self.format)

    def quantity(self, value: float) -> str:
        """Returns a value and what it counts, e.g. `"3,303,274 parameters"` or `"12.5 ms"`."""
        return f"{self.text(value)} {self.unit or self.name}"

    def limit(self, value: float) -> str:
        """Returns a limit as it is given, e.g. `"max_parameters=4000000"`."""
        return f"max_{self.key}={self.text(value).replace(',', '')}"


COSTS = (
    Cost("parameters", "parameters"),
    Cost("multiply_adds", "multiply-adds"),
    Cost("latency_ms", "latency", "ms", ",g"),
)
"""What is counted or measured of every child, in the order of tables."""


def known_costs(several: Iterable[Mapping[str, Any]]) -> tuple[Cost, ...]:
    """Returns the costs that any of several children's values have."""
    keys = set().union(*several)
    return tuple(cost for cost in COSTS if cost.key in keys)
