"""Progressive search: the paper's numbers of children, levels."""

import numpy as np
import pytest

from nasnet_keras.search import (
    PNASSpace,
    Progressive,
    Result,
    SurrogateSettings,
)
from tests.search.cell_accuracy import accuracy

QUICK = SurrogateSettings("mlp", members=1, units=8, embedding_size=4, epochs=2)


def test_paper_trains_1160_children_none_twice() -> None:
    space = PNASSpace()
    strategy = Progressive(space, beam_size=256, surrogate=QUICK)
    sizes, keys = [], set()
    while not strategy.finished:
        proposals = strategy.ask(10_000)
        assert strategy.ask(1) == []
        assert {len(p.architecture) for p in proposals} == {4 * strategy.level}
        sizes.append(len(proposals))
        keys |= {space.key(p.architecture) for p in proposals}
        strategy.tell([Result(p.number, accuracy(p.architecture)) for p in proposals])
    assert sizes == [136, 256, 256, 256, 256]
    assert len(keys) == sum(sizes) == 1160
    assert strategy.ask(5) == []


def test_the_highest_predictions_of_all_children_are_proposed() -> None:
    space = PNASSpace(2)
    strategy = Progressive(space, beam_size=10, surrogate=QUICK)
    first = strategy.ask(200)
    assert all(p.predicted_reward is None for p in first)
    strategy.tell([Result(p.number, accuracy(p.architecture)) for p in first])
    second = strategy.ask(200)
    children = space.children([p.architecture for p in first])
    predictions = strategy.surrogate.predict(children)
    best: dict[str, float] = {}
    for child, prediction in zip(children.tolist(), predictions.tolist(), strict=True):
        key = space.key(child)
        best[key] = max(prediction, best.get(key, 0.0))
    expected = sorted(best.values(), reverse=True)[:10]
    np.testing.assert_allclose([p.predicted_reward for p in second], expected, rtol=1e-6)
    assert [best[space.key(p.architecture)] for p in second] == pytest.approx(expected)


def test_failed_cells_are_not_extended() -> None:
    strategy = Progressive(PNASSpace(2), beam_size=500, surrogate=QUICK)
    first = strategy.ask(200)
    alive = {p.architecture for p in first[::3]}
    told = [Result(p.number, 0.5 if p.architecture in alive else None) for p in first]
    strategy.tell(told[1:])
    # One result is missing, so the next level has not begun.
    assert strategy.ask(3) == [] and not strategy.finished
    strategy.tell(told[:1])
    second = strategy.ask(500)
    assert {p.architecture[:4] for p in second} <= alive
    assert not strategy.finished or len(second) == 500


def test_a_search_whose_children_all_fail_is_finished() -> None:
    strategy = Progressive(PNASSpace(3), surrogate=QUICK)
    strategy.tell([Result(p.number, None) for p in strategy.ask(200)])
    assert strategy.finished and strategy.ask(1) == []
    assert strategy.dead_end == "cell of level 1"


def test_a_quorum_does_not_wait_for_the_last() -> None:
    strategy = Progressive(PNASSpace(3), beam_size=8, surrogate=QUICK, quorum=0.5)
    first = strategy.ask(200)
    strategy.tell([Result(p.number, accuracy(p.architecture)) for p in first[:67]])
    assert strategy.ask(1) == []
    strategy.tell([Result(first[67].number, 0.5)])
    second = strategy.ask(200)
    assert len(second) == 8
    assert {p.architecture[:4] for p in second} <= {p.architecture for p in first[:68]}
    # What comes late is learned from.
    strategy.tell([Result(first[100].number, 0.5)])
    assert len(strategy.state_dict()["rewards"]) == 69


def test_one_cell_with_a_reward_is_enough_for_the_next_level() -> None:
    strategy = Progressive(PNASSpace(2), beam_size=4)
    first = strategy.ask(200)
    strategy.tell([Result(p.number, None) for p in first[:-1]])
    strategy.tell([Result(first[-1].number, 0.5)])
    assert len(strategy.ask(9)) == 4
