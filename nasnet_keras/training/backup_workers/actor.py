"""The process of a worker. It imports no backend before it knows which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Computes a share of a step from the state of the network: `(step, share, state)`.
Compute = Callable[[int, int, Any], Any]


class Worker:
    """What runs in a worker's process, as a Ray actor."""

    _compute: Compute

    def prepare(self, make: Callable[[], Compute]) -> None:
        """Makes what computes; apart from the constructor, whose errors Ray only describes."""
        self._compute = make()

    def compute(self, step: int, share: int, state: Any) -> Any:
        """Computes a share of a step."""
        return self._compute(step, share, state)
