"""Surrogates: what they predict, and what they are fitted to."""

import dataclasses

import numpy as np
import pytest

from nasnet_keras.search import (
    LSTM,
    MLP,
    MLP_ENSEMBLE,
    PNASSpace,
    SurrogateSettings,
)
from nasnet_keras.search.strategies.surrogate import Surrogate
from nasnet_keras.search.strategies.surrogate_network import Lesson, Weights
from tests.search.cell_accuracy import accuracy


@pytest.mark.parametrize("settings", [MLP, LSTM, MLP_ENSEMBLE], ids=["mlp", "lstm", "mlp-ensemble"])
def test_surrogates_rank_cells_and_extrapolate(settings: SurrogateSettings) -> None:
    from scipy.stats import spearmanr

    space = PNASSpace(3)
    cells = space.first_level()
    surrogate = Surrogate(3, settings)
    surrogate.fit(cells, [accuracy(cell) for cell in cells])
    predicted = surrogate.predict(cells)
    assert spearmanr(predicted, [accuracy(cell) for cell in cells])[0] > 0.95
    larger = space.children(cells)[::200]
    guessed = surrogate.predict(larger)
    assert spearmanr(guessed, [accuracy(tuple(cell)) for cell in larger])[0] > 0.5
    # The order of a call's cells, and which else are in it, does not matter.
    np.testing.assert_allclose(surrogate.predict(larger[::-1])[::-1], guessed, rtol=1e-5)


def test_blocks_a_cell_does_not_have_do_not_count() -> None:
    """The same cell in a surrogate for more blocks, with the same weights."""
    for settings in (MLP, LSTM):
        settings = dataclasses.replace(settings, epochs=1)
        small, large = Surrogate(2, settings), Surrogate(4, settings)
        cells = PNASSpace(2).first_level()
        for surrogate in (small, large):
            surrogate.fit(cells[:32], [0.5] * 32)
        weights = small._members[0]
        larger = [value.copy() for value in large._members[0]]
        for mine, theirs in zip(weights, larger, strict=True):
            theirs[: len(mine)] = mine
        large._members = [larger]
        np.testing.assert_allclose(large.predict(cells), small.predict(cells), atol=1e-6)


def test_members_of_an_ensemble_leave_out_a_part_each(monkeypatch) -> None:
    surrogate = Surrogate(2, MLP_ENSEMBLE)
    seen = []

    def fit(lessons: list[Lesson], rate: float) -> list[Weights]:
        seen.extend((sorted(set(lesson.targets.ravel().tolist())), rate) for lesson in lessons)
        return [lesson.weights for lesson in lessons]

    monkeypatch.setattr(surrogate._network, "fit", fit)
    rewards = [i / 50 for i in range(50)]
    cells = PNASSpace(2).first_level()[:50]
    surrogate.fit(cells, rewards)
    surrogate.fit(cells, rewards)
    for start, rate in ((0, 0.01), (5, 0.002)):
        five = seen[start : start + 5]
        assert [len(values) for values, _ in five] == [40] * 5
        left_out = [set(np.float32(rewards).tolist()) - set(values) for values, _ in five]
        assert len(set().union(*left_out)) == 50
        assert {r for _, r in five} == {rate}


@pytest.mark.parametrize("count", [1, 3])
def test_an_ensemble_has_no_more_members_than_cells(count: int, monkeypatch) -> None:
    settings = dataclasses.replace(MLP_ENSEMBLE, epochs=1)
    surrogate, loaded = Surrogate(2, settings), Surrogate(2, settings)
    seen: list[list[float]] = []
    fit = surrogate._network.fit

    def watched(lessons: list[Lesson], rate: float) -> list[Weights]:
        seen.extend(sorted(set(lesson.targets.ravel().tolist())) for lesson in lessons)
        return fit(lessons, rate)

    monkeypatch.setattr(surrogate._network, "fit", watched)
    cells = PNASSpace(2).first_level()
    rewards = np.float32([0.25, 0.5, 0.75])[:count].tolist()
    surrogate.fit(cells[:count], rewards)
    assert [len(values) for values in seen] == ([1] if count == 1 else [2, 2, 2])
    assert {value for values in seen for value in values} == set(rewards)
    loaded.load_state_dict(surrogate.state_dict())
    np.testing.assert_array_equal(loaded.predict(cells), surrogate.predict(cells))
    for each in (surrogate, loaded):
        each.fit(cells[:9], [0.5] * 9)
    assert len(loaded._members) == 5
    np.testing.assert_array_equal(loaded.predict(cells), surrogate.predict(cells))


def test_surrogates_start_from_the_papers_weights() -> None:
    network = Surrogate(5, LSTM)._network
    drawn = network.initial_weights(np.random.default_rng(0))
    by_name = {name: value for (name, _), value in zip(network.shapes(), drawn, strict=True)}
    embeddings = [value for name, value in by_name.items() if "embeddings" in name]
    assert sorted(value.shape for value in embeddings) == [(7, 100), (9, 100)]
    assert max(np.abs(value).max() for value in embeddings) == pytest.approx(0.1, abs=0.001)
    np.testing.assert_array_equal(by_name["lstm/bias"], [0] * 100 + [1] * 100 + [0] * 200)
    (final,) = [v for name, v in by_name.items() if name.endswith("final/bias")]
    np.testing.assert_allclose(final, 1.8)


def test_bad_data_are_named() -> None:
    surrogate = Surrogate(2, MLP_ENSEMBLE)
    cells = PNASSpace(2).first_level()
    with pytest.raises(RuntimeError, match="before it is fitted"):
        surrogate.predict(cells)
    with pytest.raises(ValueError, match=r"one cell or more .* got 0 cells and 0 rewards"):
        surrogate.fit([], [])
    with pytest.raises(ValueError, match="got 10 cells and 9 rewards"):
        surrogate.fit(cells[:10], [0.5] * 9)
    with pytest.raises(ValueError, match=r"in \[0, 1\], got some from 0.5 to 1.5"):
        surrogate.fit(cells[:10], [0.5] * 9 + [1.5])
