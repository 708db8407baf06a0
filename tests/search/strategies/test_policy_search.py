"""Policy search: baseline, advantage, updates, learning."""

import dataclasses

import numpy as np
import pytest

from nasnet_keras.search import (
    PPO,
    REINFORCE,
    CategoricalSpace,
    PolicySearch,
    Result,
)
from tests.search.controllers import SMALL, TINY


def rewarded(strategy: PolicySearch, rewards: list[float | None], reverse: bool = False) -> None:
    results = [
        Result(proposal.number, reward)
        for proposal, reward in zip(strategy.ask(len(rewards)), rewards, strict=True)
    ]
    strategy.tell(results[::-1] if reverse else results)


def test_baseline_is_the_debiased_average_of_earlier_rewards() -> None:
    settings = dataclasses.replace(PPO, batch_size=2, **TINY)
    strategy = PolicySearch(SMALL, settings=settings)
    assert strategy.baseline is None
    rewarded(strategy, [0.5, 0.5])
    assert strategy.baseline == pytest.approx(0.5)
    rewarded(strategy, [0.9, 0.1])
    weights = 0.95 ** np.array([3, 2, 1, 0])
    assert strategy.baseline == pytest.approx(weights @ [0.5, 0.5, 0.9, 0.1] / weights.sum())


def test_advantage_is_against_the_baseline_from_before_the_batch(monkeypatch) -> None:
    settings = dataclasses.replace(PPO, batch_size=2, epochs=1, **TINY)
    strategy = PolicySearch(SMALL, settings=settings)
    seen = []
    monkeypatch.setattr(strategy.controller, "train_on_batch", lambda x, y: seen.append(y[:, 0, 1]))
    rewarded(strategy, [0.4, 0.8])
    rewarded(strategy, [0.7, 0.9])
    before = (0.95 * 0.4 + 0.8) / 1.95
    np.testing.assert_allclose(seen, [[-0.2, 0.2], [0.7 - before, 0.9 - before]], atol=1e-6)


def test_rewards_are_raised_to_the_exponent(monkeypatch) -> None:
    settings = dataclasses.replace(REINFORCE, batch_size=2, units=(4,), embedding_size=4)
    strategy = PolicySearch(SMALL, settings=settings)
    rewarded(strategy, [0.5, 1.0])
    assert strategy.baseline == pytest.approx((0.95 * 0.125 + 1.0) / 1.95)


def test_failures_and_strays_do_not_train() -> None:
    settings = dataclasses.replace(PPO, batch_size=3, **TINY)
    strategy = PolicySearch(SMALL, settings=settings)
    before = strategy.controller.get_weights()
    rewarded(strategy, [0.5, None, None, 0.7, None])
    for old, new in zip(before, strategy.controller.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    rewarded(strategy, [0.9])
    assert any(
        (old != new).any()
        for old, new in zip(before, strategy.controller.get_weights(), strict=True)
    )


def test_order_within_an_update_does_not_matter() -> None:
    settings = dataclasses.replace(PPO, batch_size=4, **TINY)
    asked = []
    for reverse in (False, True):
        strategy = PolicySearch(SMALL, settings=settings)
        rewarded(strategy, [0.1, 0.9, 0.3, 0.4], reverse)
        asked.append(strategy.ask(8))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("algorithm", [PPO, REINFORCE], ids=["ppo", "reinforce"])
def test_policy_learns_what_is_rewarded(algorithm) -> None:
    space = CategoricalSpace("bits", {str(i): (0, 1) for i in range(8)})
    settings = dataclasses.replace(
        algorithm, units=(16,), embedding_size=8, learning_rate=0.02, batch_size=20
    )
    strategy = PolicySearch(space, 1, settings)
    means = []
    for _ in range(40):
        proposals = strategy.ask(20)
        # Alternating decisions: what is right depends on the decision before.
        scores = [np.mean(np.diff(p.architecture) != 0) for p in proposals]
        means.append(np.mean(scores))
        strategy.tell([Result(p.number, float(s)) for p, s in zip(proposals, scores, strict=True)])
    assert np.mean(means[:3]) < 0.6
    assert np.mean(means[-3:]) > 0.8
