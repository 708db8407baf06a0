"""The controller: its probabilities, in Keras and in NumPy."""

import keras
import numpy as np
import pytest

from nasnet_keras.search import (
    Decision,
    LayerwiseSpace,
    NASNetSpace,
    Space,
)
from nasnet_keras.search.strategies.controller import Controller
from nasnet_keras.search.strategies.controller_sampling import unroll
from nasnet_keras.search.strategies.decision_tables import DecisionTables
from tests.search.controllers import SMALL, TINY, controller_of, sampled


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


def test_the_first_decisions_are_scored_alike_whatever_follows() -> None:
    space = LayerwiseSpace(1, max_layers=3)
    controller = controller_of(space, scale=0.3, units=(8,))
    decisions, _, _ = sampled(space, controller, 6)
    whole = keras.ops.convert_to_numpy(controller(decisions))
    for length in (3, 7):
        first = keras.ops.convert_to_numpy(controller(decisions[:, :length]))
        np.testing.assert_allclose(first, whole[:, :length], atol=1e-6)
