"""Rewards that weigh a cost against accuracy."""

from typing import Any

import pytest

from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.children.rewards import Reward


def test_a_cost_is_weighed_as_in_mnasnet() -> None:
    costs = {"latency_ms": 10.0, "peak_bytes": 500, "parameters": 7, "multiply_adds": 7}
    assert Reward()(0.8, costs) == 0.8
    # Twice the target costs the 5 % of accuracy that it brings, as in section 3.1.
    assert Reward("accuracy_latency", target_latency_ms=5)(0.8, costs) == pytest.approx(
        0.8 * 0.95263, rel=1e-4
    )
    half = Reward("accuracy_memory", target_peak_bytes=1000, cost_exponent=-1)
    assert half(0.4, costs) == pytest.approx(0.8)
    assert Reward("accuracy_parameters", target_parameters=7)(0.5, costs) == 0.5
    assert Reward("accuracy_multiply_adds", target_multiply_adds=7)(0.5, costs) == 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reward": "latency"}, "unknown reward 'latency'"),
        ({"reward": "accuracy_latency"}, "target_latency_ms is missing"),
        ({"target_latency_ms": 5}, "target_latency_ms=5 is not used by reward='accuracy'"),
        (
            {"reward": "accuracy_memory", "target_peak_bytes": 5, "target_parameters": 5},
            "target_parameters=5 is not used by reward='accuracy_memory'",
        ),
        ({"cost_exponent": -1.0}, "cost_exponent=-1.0 is not used by reward='accuracy'"),
        (
            {"reward": "accuracy_latency", "target_latency_ms": 5, "cost_exponent": 0.07},
            "cost_exponent is a number in",
        ),
    ],
)
def test_a_reward_that_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reward(**values)


def test_only_what_was_not_there_before_is_in_the_configuration() -> None:
    config = ClassifierChild("digits").config()
    assert not {"objective", "measured_by"} & set(config)
    reward = Reward("accuracy_latency", target_latency_ms=5)
    child = ClassifierChild("digits", reward=reward, measured_by="onnx")
    assert child.config() == {
        **config,
        "measured_by": "onnx",
        "objective": {
            "reward": "accuracy_latency",
            "cost": "latency_ms",
            "target_latency_ms": 5,
            "cost_exponent": -0.07,
        },
    }
    with pytest.raises(ValueError, match="'accuracy_latency' needs latency_runs of at least 1"):
        ClassifierChild("digits", latency_runs=0, reward=reward)
