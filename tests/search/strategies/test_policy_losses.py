"""The objectives of a policy against finite differences."""

import keras
import numpy as np
import pytest

from nasnet_keras.search import (
    LayerwiseSpace,
    Space,
)
from nasnet_keras.search.strategies.controller_sampling import unroll
from nasnet_keras.search.strategies.decision_tables import DecisionTables
from nasnet_keras.search.strategies.policy_losses import ppo_loss, reinforce_loss
from tests.search.controllers import SMALL, TINY, controller_of, sampled


def numpy_loss(
    weights: dict[str, np.ndarray],
    tables: DecisionTables,
    architectures: np.ndarray,
    targets: np.ndarray,
    settings: dict,
) -> float:
    """The objectives once more, from their definitions and in float64."""
    _, new, entropies = unroll(weights, tables, architectures=architectures)
    old, advantage = targets[..., 0], targets[:, 0, 1]
    if settings["algorithm"] == "reinforce":
        gains = advantage * new.sum(axis=1)
    elif settings["per_decision"]:
        ratio = np.exp(new - old)
        capped = np.clip(ratio, 1 - settings["clip"], 1 + settings["clip"])
        gains = np.minimum(ratio * advantage[:, None], capped * advantage[:, None]).sum(axis=1)
    else:
        ratio = np.exp(new.sum(axis=1) - old.sum(axis=1))
        capped = np.clip(ratio, 1 - settings["clip"], 1 + settings["clip"])
        gains = np.minimum(ratio * advantage, capped * advantage)
    return float(np.mean(-gains - settings["entropy_weight"] * entropies.sum(axis=1)))


@pytest.mark.parametrize("space", [SMALL, LayerwiseSpace(3)], ids=["categorical", "anchors"])
@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": "ppo", "clip": 0.2, "per_decision": False, "entropy_weight": 0.05},
        {"algorithm": "ppo", "clip": 0.1, "per_decision": True, "entropy_weight": 0.0},
        {"algorithm": "reinforce", "entropy_weight": 0.05},
    ],
    ids=["ppo", "ppo-per-decision", "reinforce"],
)
def test_gradients_are_those_of_finite_differences(space: Space, settings: dict) -> None:
    controller = controller_of(space, **TINY)
    tables = controller.tables
    architectures, old, _ = sampled(space, controller, 12)
    generator = np.random.default_rng(1)
    # Ratios on both sides of the clip and near 1, advantages of both signs.
    old = old + generator.normal(0.0, 0.3 / np.sqrt(old.shape[1]), old.shape)
    advantage = generator.normal(size=(12, 1))
    targets = np.stack([old, np.broadcast_to(advantage, old.shape)], axis=-1)
    before = controller.named_weights()
    loss = numpy_loss(before, tables, architectures, targets, settings)

    rest = {key: value for key, value in settings.items() if key != "algorithm"}
    make = {"ppo": ppo_loss, "reinforce": reinforce_loss}[settings["algorithm"]]
    # A step of gradient descent at rate 1 is the gradient.
    controller.compile(keras.optimizers.SGD(1.0), loss=make(**rest))
    reported = controller.train_on_batch(architectures, targets.astype("float32"))
    assert float(np.asarray(reported)) == pytest.approx(loss, abs=1e-5)
    after = controller.named_weights()
    for name, value in before.items():
        gradient = np.asarray(value, "float64") - after[name]
        direction = generator.normal(size=value.shape)
        step = 1e-5

        def moved(by: float, name: str = name, direction: np.ndarray = direction) -> float:
            weights = {**before, name: np.asarray(before[name], "float64") + by * direction}
            return numpy_loss(weights, tables, architectures, targets, settings)

        expected = (moved(step) - moved(-step)) / (2 * step)
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert scale > 0, name
        assert abs((gradient * direction).sum() - expected) < 1e-3 * max(abs(expected), 0.1 * scale)
