"""How a controller is trained, as data."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.search.strategies.setting_checks import check_positive, check_whole, is_finite
from nasnet_keras.suggestions import unknown_name

ALGORITHMS = ("ppo", "reinforce")


@dataclass(frozen=True)
class PolicySettings:
    """The controller and its update; the defaults are NASNet's (Zoph et al. 2018, appendix A).

    Not in the paper, and so ours: Adam, `embedding_size`, `clip`, `epochs` and `per_decision`.

    Attributes:
        algorithm: `"ppo"` or `"reinforce"`.
        units: Units of each LSTM layer.
        embedding_size: Size of the embedding of a decision.
        initial_scale: Weights start uniform within plus and minus this.
        learning_rate: Of Adam. The papers' rates belong to 12,800 and 20,000 children; a search of
            some hundred needs a higher one.
        batch_size: Architectures an update.
        epochs: Steps of Adam over these (PPO; 1 for REINFORCE).
        clip: PPO's bound on the ratio.
        per_decision: Whether PPO's ratios are of single decisions.
        entropy_weight: Weight of the entropy of an architecture's decisions, summed.
        baseline_decay: Decay of the moving average of rewards, an update a reward.
        reward_exponent: The reward is raised to this power.

    Raises:
        ValueError: A value is out of range.
    """

    algorithm: str = "ppo"
    units: tuple[int, ...] = (100,)
    embedding_size: int = 100
    initial_scale: float = 0.1
    learning_rate: float = 0.00035
    batch_size: int = 20
    epochs: int = 4
    clip: float = 0.2
    per_decision: bool = False
    entropy_weight: float = 0.00001
    baseline_decay: float = 0.95
    reward_exponent: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.units, list | tuple):
            raise ValueError(
                f"units lists the sizes of the LSTM layers, e.g. [100], got {self.units!r}"
            )
        object.__setattr__(self, "units", tuple(self.units))
        if self.algorithm not in ALGORITHMS:
            raise ValueError(unknown_name("algorithm", self.algorithm, ALGORITHMS))
        if not self.units:
            raise ValueError("units names the size of at least one LSTM layer, got none")
        wholes = {f"units[{i}]": size for i, size in enumerate(self.units)}
        wholes |= {name: getattr(self, name) for name in ("embedding_size", "batch_size", "epochs")}
        for name, value in wholes.items():
            check_whole(name, value)
        for name in ("initial_scale", "learning_rate", "clip", "reward_exponent"):
            check_positive(name, getattr(self, name))
        if not isinstance(self.per_decision, bool):
            raise ValueError(f"per_decision is true or false, got {self.per_decision!r}")
        if not (is_finite(self.entropy_weight) and self.entropy_weight >= 0):
            raise ValueError(f"entropy_weight is 0 or more and finite, got {self.entropy_weight!r}")
        if not (is_finite(self.baseline_decay) and 0 <= self.baseline_decay < 1):
            raise ValueError(f"baseline_decay is in [0, 1), got {self.baseline_decay!r}")
        if self.algorithm == "reinforce" and self.epochs != 1:
            raise ValueError(
                f"REINFORCE makes one step with what was sampled, got epochs={self.epochs}; "
                "several are PPO's"
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
