"""The objectives of a policy: PPO's clipped ratio and REINFORCE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

Loss = Callable[[Any, Any], Any]


def ppo_loss(clip: float = 0.2, entropy_weight: float = 1e-5, per_decision: bool = False) -> Loss:
    """Returns the clipped objective of PPO (Schulman et al. 2017, equation 7), to be minimized.

    Args:
        clip: The ratio of new to old probability is clipped to 1 - clip and 1 + clip.
        entropy_weight: Weight of the entropy, summed over the decisions of an architecture.
        per_decision: Whether each decision has its own ratio, instead of one for the
            architecture.

    Returns:
        A function of `y_true` `(batch, decisions, 2)`, the log-probabilities at the time of
        sampling and the advantage (repeated for each decision), and of `y_pred`, the controller's
        output. It returns one loss an architecture, `(batch,)`.
    """

    def loss(y_true: Any, y_pred: Any) -> Any:
        difference = y_pred[..., 0] - y_true[..., 0]
        advantage = y_true[..., 1]
        if not per_decision:
            difference = ops.sum(difference, axis=1, keepdims=True)
            advantage = advantage[:, :1]
        ratio = ops.exp(difference)
        clipped = ops.clip(ratio, 1.0 - clip, 1.0 + clip)
        gain = ops.sum(ops.minimum(ratio * advantage, clipped * advantage), axis=1)
        return -gain - entropy_weight * ops.sum(y_pred[..., 1], axis=1)

    return loss


def reinforce_loss(entropy_weight: float = 0.0) -> Loss:
    """Returns the objective of REINFORCE (Williams 1992), to be minimized.

    Args:
        entropy_weight: Weight of the entropy, summed over the decisions of an architecture.

    Returns:
        A function like `ppo_loss` returns; the log-probabilities at the time of sampling are not
        used, so a late result is treated as if it were sampled now.
    """

    def loss(y_true: Any, y_pred: Any) -> Any:
        gain = y_true[:, 0, 1] * ops.sum(y_pred[..., 0], axis=1)
        return -gain - entropy_weight * ops.sum(y_pred[..., 1], axis=1)

    return loss
