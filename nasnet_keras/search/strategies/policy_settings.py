"""The settings of a controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.settings import Count, Decay, NonNegative, Positive, Settings


@dataclass(frozen=True)
class PolicySettings(Settings):
    """The controller and its update; the defaults are NASNet's (Zoph et al. 2018, appendix A).

    Not in the paper, so our choice: Adam, `embedding_size`, `clip`, `epochs` and `per_decision`.

    Attributes:
        algorithm: `"ppo"` or `"reinforce"`.
        units: Units of each LSTM layer.
        embedding_size: Size of the embedding of a decision.
        initial_scale: Initial weights are uniform within plus and minus this.
        learning_rate: Learning rate of Adam. The papers' rates belong to 12,800 and 20,000
            children; a search of some hundred needs a higher one.
        batch_size: Architectures in an update.
        epochs: Steps of Adam on these (1 for REINFORCE).
        clip: PPO's bound on the ratio.
        per_decision: Whether PPO has a ratio for each decision, instead of the architecture.
        entropy_weight: Weight of the entropy of an architecture's decisions, summed.
        baseline_decay: Decay of the moving average of rewards, updated once a reward.
        reward_exponent: The reward is raised to this power.

    Raises:
        ValueError: A value is out of range.
    """

    algorithm: Literal["ppo", "reinforce"] = "ppo"
    units: tuple[Count, ...] = (100,)
    embedding_size: Count = 100
    initial_scale: Positive = 0.1
    learning_rate: Positive = 0.00035
    batch_size: Count = 20
    epochs: Count = 4
    clip: Positive = 0.2
    per_decision: bool = False
    entropy_weight: NonNegative = 0.00001
    baseline_decay: Decay = 0.95
    reward_exponent: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.units:
            raise ValueError("units has the size of at least one LSTM layer, got none")
        if self.algorithm == "reinforce" and self.epochs != 1:
            raise ValueError(
                f"REINFORCE makes one step with its samples, got epochs={self.epochs}; "
                "only PPO makes several"
            )


PPO = PolicySettings()
"""NASNet's controller."""

REINFORCE = PolicySettings(
    algorithm="reinforce",
    units=(35, 35),
    embedding_size=35,
    initial_scale=0.08,
    learning_rate=0.0006,
    epochs=1,
    entropy_weight=0.0,
    reward_exponent=3.0,
)
"""The controller of Zoph and Le 2017, section 4.1; the sizes of batch and embeddings are ours."""
