"""The controller and its updates: probabilities, gradients, learning."""

import dataclasses

import keras
import numpy as np
import pytest

from nasnet_keras.search import (
    PPO,
    REINFORCE,
    CategoricalSpace,
    Decision,
    LayerwiseSpace,
    NASNetSpace,
    PolicySearch,
    Result,
    Space,
)
from nasnet_keras.search.strategies.controller import Controller
from nasnet_keras.search.strategies.controller_sampling import unroll
from nasnet_keras.search.strategies.decision_tables import DecisionTables
from nasnet_keras.search.strategies.policy_losses import ppo_loss, reinforce_loss

SMALL = CategoricalSpace(
    "small", {"a": (1, 2, 3), "b": ("x", "y"), "c": (1, 2, 3), "d": (5,)}, {"a": "k", "c": "k"}
)
TINY = {"units": (6,), "embedding_size": 5}


def sampled(
    space: Space, controller: Controller, rows: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    uniforms = np.random.default_rng(seed).random((rows, len(space.decisions)))
    return unroll(controller.named_weights(), controller.tables, uniforms=uniforms)


def controller_of(space: Space, scale: float = 0.8, **settings: object) -> Controller:
    # Weights so large that no decision is near uniform.
    return Controller(space.decisions, initial_scale=scale, seed=3, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("space", "units"),
    [(NASNetSpace(), (100,)), (LayerwiseSpace(4, strides=True), (35, 35)), (SMALL, (8,))],
)
def test_log_probabilities_of_sampling_are_those_of_the_network(
    space: Space, units: tuple[int, ...]
) -> None:
    controller = controller_of(space, scale=0.3, units=units)
    decisions, log_probabilities, entropies = sampled(space, controller, 20)
    answer = keras.ops.convert_to_numpy(controller(decisions))
    np.testing.assert_allclose(answer[..., 0], log_probabilities, atol=1e-5)
    np.testing.assert_allclose(answer[..., 1], entropies, atol=1e-5)
    assert len({tuple(row) for row in decisions.tolist()}) > 10
    for row in decisions.tolist():
        space.check(row)


def test_probabilities_of_all_architectures_add_up_to_one() -> None:
    space = LayerwiseSpace(2)
    controller = controller_of(space, **TINY)
    grid = np.indices([len(d.choices) for d in space.decisions]).reshape(7, -1).T
    _, log_probabilities, entropies = unroll(
        controller.named_weights(), controller.tables, architectures=grid
    )
    probabilities = np.exp(log_probabilities.sum(axis=1))
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    # The entropy of the whole is the expected sum of the entropies along the way.
    assert probabilities @ entropies.sum(axis=1) == pytest.approx(
        -(probabilities * log_probabilities.sum(axis=1)).sum(), abs=1e-9
    )


def test_sampling_follows_the_probabilities() -> None:
    space = SMALL
    controller = controller_of(space, **TINY)
    decisions, _, _ = sampled(space, controller, 20000)
    grid = np.indices([len(d.choices) for d in space.decisions]).reshape(4, -1).T
    _, scores, _ = unroll(controller.named_weights(), controller.tables, architectures=grid)
    expected = np.exp(scores.sum(axis=1))
    found = [(decisions == row).all(axis=1).mean() for row in grid]
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.25 / 20000))


def test_decisions_share_heads_and_embeddings_by_kind() -> None:
    tables = DecisionTables.of(NASNetSpace().decisions)
    # Inputs 2 to 6, 13 operations, 2 combinations; embeddings: the start, 6, 13 and 2.
    assert tables.num_columns == 2 + 3 + 4 + 5 + 6 + 13 + 2
    assert tables.num_tokens == 1 + 6 + 13 + 2
    np.testing.assert_array_equal(tables.columns[:25], tables.columns[25:])
    assert tables.columns[5] == tables.columns[6] != tables.columns[0]
    assert (tables.tokens[[0, 1, 5, 20]] == tables.tokens[0]).all()


def test_skip_connections_compare_two_layers() -> None:
    """P(j -> i) = sigmoid(v tanh(W_prev h_j + W_curr h_i)), written out."""
    decisions = [Decision("x", "x", (1, 2)), Decision("skip", "skip", (False, True), anchor=0)]
    controller = Controller(decisions, (4,), 3, initial_scale=1.0, seed=5)
    weights = controller.named_weights()

    def lstm(token: int, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gates = weights["embedding"][token] @ weights["kernel_0"] + weights["bias_0"]
        i, f, g, o = np.split(gates + h @ weights["recurrent_kernel_0"], 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        return np.tanh(c) / (1 + np.exp(-o)), c

    first, carry = lstm(0, np.zeros(4), np.zeros(4))
    second, _ = lstm(2, first, carry)
    score = np.tanh(first @ weights["anchor_previous"] + second @ weights["anchor_current"])
    yes = 1 / (1 + np.exp(-score @ weights["anchor_vector"][:, 0]))
    answer = keras.ops.convert_to_numpy(controller(np.array([[1, 1]])))
    assert np.exp(answer[0, 1, 0]) == pytest.approx(yes, abs=1e-6)


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "pppo"}, "did you mean 'ppo'"),
        ({"units": ()}, "at least one LSTM layer"),
        ({"units": (0,)}, "units is whole numbers of at least 1, got (0,)"),
        ({"units": 100}, "units is whole numbers of at least 1, got 100"),
        ({"units": "100,100"}, "units is whole numbers of at least 1, got '100,100'"),
        ({"batch_size": 0}, "batch_size is a whole number of at least 1, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate is a number above 0, got nan"),
        ({"learning_rate": "abc"}, "learning_rate is a number above 0, got 'abc'"),
        ({"clip": 10**400}, "clip is a number above 0, got 1000"),
        ({"initial_scale": True}, "initial_scale is a number above 0, got True"),
        ({"per_decision": "maybe"}, "per_decision is true or false, got 'maybe'"),
        ({"entropy_weight": "abc"}, "entropy_weight is a number of at least 0, got 'abc'"),
        ({"baseline_decay": None}, "baseline_decay is a number in [0, 1), got None"),
        ({"entropy_weight": -1.0}, "entropy_weight is a number of at least 0"),
        ({"baseline_decay": 1.0}, "baseline_decay is a number in [0, 1), got 1.0"),
        ({"algorithm": "reinforce"}, "REINFORCE makes one step"),
    ],
)
def test_bad_settings_are_named(change: dict, message: str) -> None:
    with pytest.raises(ValueError) as error:
        dataclasses.replace(PPO, **change)
    assert message in str(error.value)
