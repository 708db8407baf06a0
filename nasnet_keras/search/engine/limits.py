"""What an architecture may cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.settings import Count, Positive, Settings


@dataclass(frozen=True)
class Limits(Settings):
    """Bounds on an architecture; those of cost are checked before its training begins.

    Attributes:
        max_parameters: Parameters of the trained network.
        max_multiply_adds: Multiply-adds for one image.
        max_latency_ms: Milliseconds to predict one image, on the machine that trains it.

    Raises:
        ValueError: A limit is not above 0.
    """

    max_parameters: Count | None = None
    max_multiply_adds: Count | None = None
    max_latency_ms: Positive | None = None

    @property
    def by_cost(self) -> dict[str, float]:
        """The limits that are set, by key of the cost."""
        limits = self.to_dict().items()
        return {name.removeprefix("max_"): limit for name, limit in limits if limit is not None}

    @property
    def before_training(self) -> bool:
        """Whether costs must be counted before an architecture is trained."""
        return self.max_parameters is not None or self.max_multiply_adds is not None

    def violation(self, values: Mapping[str, float]) -> str | None:
        """Returns which limit the known costs exceed, as a message; `None` if none."""
        for cost in known_costs([values]):
            limit = self.by_cost.get(cost.key, math.inf)
            if values[cost.key] > limit:
                return f"max_{cost.key}={limit} is below its {cost.quantity(values)}"
        return None

    def __str__(self) -> str:
        given = [f"max_{key}={limit}" for key, limit in self.by_cost.items()]
        return ", ".join(given) or "no limit"
