"""What a child is rewarded with: its accuracy, alone or weighed against a cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from nasnet_keras.settings import Count, Positive, Range, Settings

_COST_OF = {
    "accuracy_latency": "latency_ms",
    "accuracy_memory": "peak_bytes",
    "accuracy_multiply_adds": "multiply_adds",
    "accuracy_parameters": "parameters",
}
MEASURED = ("latency_ms", "peak_bytes")
"""The costs that are measured, not counted."""


@dataclass(frozen=True)
class Reward(Settings):
    """How a child's reward follows from its accuracy.

    With a cost it is `accuracy * (cost / target) ** cost_exponent`, the soft limit of MnasNet (Tan
    et al. 2018, section 3.1, equations 2 and 3). With the default exponent, twice the cost is worth
    it where it brings 5 % more accuracy. Rewards of children below the target may exceed 1.

    Attributes:
        reward: accuracy, or accuracy_latency, accuracy_memory, accuracy_multiply_adds or
            accuracy_parameters, which weigh it against that cost.
        target_latency_ms: accuracy_latency: time to predict one image that costs nothing, in
            milliseconds.
        target_peak_bytes: accuracy_memory: the same for the memory of a prediction, in bytes.
        target_multiply_adds: accuracy_multiply_adds: the same for multiply-adds.
        target_parameters: accuracy_parameters: the same for parameters.
        cost_exponent: Exponent of a cost relative to its target.

    Raises:
        ValueError: The target of the cost is missing, or a setting is given that the reward does
            not use.
    """

    reward: Literal[
        "accuracy",
        "accuracy_latency",
        "accuracy_memory",
        "accuracy_multiply_adds",
        "accuracy_parameters",
    ] = "accuracy"
    target_latency_ms: Positive | None = None
    target_peak_bytes: Count | None = None
    target_multiply_adds: Count | None = None
    target_parameters: Count | None = None
    cost_exponent: Annotated[float, Range(-10, 0, below=True)] = -0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        for cost in _COST_OF.values():
            given = getattr(self, f"target_{cost}")
            if given is not None and cost != self.cost:
                raise ValueError(f"target_{cost}={given} is not used by reward={self.reward!r}")
        if self.cost is None:
            if self.cost_exponent != Reward.cost_exponent:
                raise ValueError(
                    f"cost_exponent={self.cost_exponent} is not used by reward={self.reward!r}"
                )
        elif self._target is None:
            raise ValueError(f"target_{self.cost} is missing: reward={self.reward!r} needs it")

    @property
    def cost(self) -> str | None:
        """The key of the cost; `None` where accuracy is all."""
        return _COST_OF.get(self.reward)

    @property
    def _target(self) -> float | None:
        return getattr(self, f"target_{self.cost}")

    def __call__(self, accuracy: float, costs: Mapping[str, Any]) -> float:
        """Returns the reward of a child with this accuracy and these costs."""
        if self.cost is None:
            return accuracy
        assert self._target is not None
        return accuracy * (costs[self.cost] / self._target) ** self.cost_exponent

    def config(self) -> dict[str, Any]:
        """Returns what a search's configuration says of it; nothing where accuracy is all."""
        if self.cost is None:
            return {}
        target = f"target_{self.cost}"
        return {
            "objective": {
                "reward": self.reward,
                "cost": self.cost,
                target: self._target,
                "cost_exponent": self.cost_exponent,
            }
        }
