"""What every strategy must do: replay, resume, take results late, twice, out of order or never."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nasnet_keras.search import (
    NASNetSpace,
    PNASSpace,
    Proposal,
    Result,
    Strategy,
    get_strategy,
    list_strategies,
)

NETWORK = {"units": (6,), "embedding_size": 5, "batch_size": 4, "learning_rate": 0.05}


SURROGATE = {"units": 6, "embedding_size": 5, "epochs": 2, "beam_size": 7}


def make(name: str, seed: int = 0) -> Strategy:
    """Every strategy on a space of its own kind, as small as shows everything."""
    if name == "random":
        return get_strategy(name, NASNetSpace(2), seed)
    if name == "evolution":
        return get_strategy(name, NASNetSpace(2), seed, population_size=6, sample_size=3)
    if name == "progressive":
        return get_strategy(name, PNASSpace(3), seed, members=2, **SURROGATE)
    return get_strategy(name, NASNetSpace(2), seed, **NETWORK)


NAMES = ["random", "evolution", "ppo", "reinforce", "progressive"]


def reward(proposal: Proposal) -> float | None:
    """Some reward; about one child in eight fails."""
    score = sum(i * value for i, value in enumerate(proposal.architecture, start=1))
    return None if score % 8 == 3 else (score % 23) / 23


def results(proposals: list[Proposal]) -> list[Result]:
    return [Result(proposal.number, reward(proposal)) for proposal in proposals]


def steps(strategy: Strategy, seed: int, count: int) -> list[Proposal]:
    """A disorderly life: results come late, in any order, sometimes twice, sometimes never."""
    generator = np.random.default_rng(seed)
    proposals: list[Proposal] = []
    running: list[Proposal] = []
    if strategy.pending:
        running = [Proposal(n, a) for n, a in strategy.pending.items()]
    for _ in range(count):
        new = strategy.ask(int(generator.integers(8)))
        proposals += new
        running += new
        generator.shuffle(running)  # type: ignore[arg-type]
        # Some are left behind for long; where nothing else goes on, they come in.
        keep = 4 if new else 0
        ready, running = running[keep:], running[:keep]
        told = results(ready)
        strategy.tell(told + told[:1])
    return proposals


def stored(state: dict[str, Any]) -> dict[str, Any]:
    """Writes a state as an engine does, arrays to npz and the rest to JSON, and reads it again."""
    arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    plain = {key: value for key, value in state.items() if key not in arrays}
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        return {**json.loads(json.dumps(plain)), **dict(loaded)}


def test_every_strategy_is_tested_here() -> None:
    assert sorted(NAMES) == list_strategies()


@pytest.mark.parametrize("name", NAMES)
def test_replaying_and_resuming_give_the_same_proposals(name: str) -> None:
    first, second, resumed = make(name), make(name), make(name)
    assert steps(first, 1, 45) == steps(second, 1, 45)
    resumed.load_state_dict(stored(first.state_dict()))
    assert resumed.pending == first.pending
    # Learned states, not just the seed, must have come along.
    assert steps(first, 2, 30) == steps(second, 2, 30) == steps(resumed, 2, 30)
    for key, value in first.state_dict().items():
        np.testing.assert_equal(value, resumed.state_dict()[key], err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_a_copy(name: str) -> None:
    strategy = make(name)
    steps(strategy, 1, 20)
    state = strategy.state_dict()
    before = {key: np.copy(value) for key, value in state.items() if isinstance(value, np.ndarray)}
    text = json.dumps({key: value for key, value in state.items() if key not in before})
    steps(strategy, 2, 20)
    for key, value in before.items():
        np.testing.assert_array_equal(state[key], value)
    assert json.dumps({k: v for k, v in state.items() if k not in before}) == text


@pytest.mark.parametrize("name", NAMES)
def test_asking_at_once_is_asking_one_by_one(name: str) -> None:
    together, alone = make(name), make(name)
    for count in (5, 11, 3):
        proposals = together.ask(count)
        assert [p for _ in range(count) for p in alone.ask(1)] == proposals
        together.tell(results(proposals))
        alone.tell(results(proposals))
    assert together.ask(0) == []


@pytest.mark.parametrize("name", NAMES)
def test_seeds_differ_and_numbers_count(name: str) -> None:
    strategies = [make(name, seed) for seed in (0, 1)]
    runs = [steps(strategy, 1, 50) for strategy in strategies]
    assert [p.number for p in runs[0]] == list(range(len(runs[0])))
    assert runs[0] != runs[1]
    for strategy, run in zip(strategies, runs, strict=True):
        for proposal in run:
            assert strategy.space.check(proposal.architecture) == proposal.architecture


@pytest.mark.parametrize("name", NAMES)
def test_a_second_result_changes_nothing(name: str) -> None:
    strategy, other = make(name), make(name)
    for _ in range(6):
        proposals = strategy.ask(5)
        assert other.ask(5) == proposals
        told = results(proposals)
        strategy.tell(told)
        other.tell(told)
        other.tell([Result(result.number, 0.123) for result in told])
        other.tell(told)
    assert strategy.ask(5) == other.ask(5)


@pytest.mark.parametrize("name", NAMES)
def test_bad_results_are_refused_whole(name: str) -> None:
    strategy, other = make(name), make(name)
    proposals = strategy.ask(8)
    other.ask(8)
    good = results(proposals)
    with pytest.raises(ValueError, match="result for proposal 8, but only proposals below 8"):
        strategy.tell([*good, Result(8, 0.5)])
    with pytest.raises(ValueError, match="proposal 0: a reward is a finite number.* got nan"):
        strategy.tell([*good[1:], Result(0, float("nan"))])
    with pytest.raises(ValueError, match="0 proposals or more, got -1"):
        strategy.ask(-1)
    assert len(strategy.pending) == 8
    strategy.tell(good)
    other.tell(good)
    assert strategy.ask(8) == other.ask(8)
    assert len(strategy.pending) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: make("ppo", 1), "its seed is 1, this one's 0"),
        (lambda: make("random"), "its strategy is 'random', this one's 'ppo'"),
        (lambda: get_strategy("ppo", NASNetSpace(3), **NETWORK),
         "its space 'num_blocks' is 3, this one's 2"),
        (lambda: get_strategy("ppo", NASNetSpace(2), **{**NETWORK, "learning_rate": 0.1}),
         "its settings 'learning_rate' is 0.1, this one's 0.05"),
    ],
)  # fmt: skip
def test_a_state_of_another_search_is_refused(change: Callable[[], Strategy], message: str) -> None:
    with pytest.raises(ValueError) as error:
        make("ppo").load_state_dict(stored(change().state_dict()))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_strategy("pppo", NASNetSpace()), "did you mean 'ppo'"),
        (lambda: get_strategy("ppo", NASNetSpace(), clipp=1), "did you mean 'clip'"),
        (lambda: get_strategy("random", NASNetSpace(), clip=1), "has no options, got 'clip'"),
        (
            lambda: get_strategy("random", NASNetSpace(), -1),
            "seed is a whole number of at least 0, got -1",
        ),
        (lambda: get_strategy("evolution", NASNetSpace(), population_size=0), "at least 1, got 0"),
        (
            lambda: get_strategy("evolution", NASNetSpace(), population_size="abc"),
            "population_size is a whole number of at least 1, got 'abc'",
        ),
        (lambda: get_strategy("evolution", NASNetSpace(), sample_size=2.5), "at least 1, got 2.5"),
        (
            lambda: get_strategy("evolution", NASNetSpace(), population_size=5),
            "sample_size is from",
        ),
        (lambda: get_strategy("progressive", NASNetSpace()), "needs cells that grow"),
        (lambda: get_strategy("progressive", PNASSpace(), beam_size=0), "beam_size is a whole"),
        (
            lambda: get_strategy("progressive", PNASSpace(), quorum=0.0),
            "quorum is a number in (0, 1]",
        ),
        (
            lambda: get_strategy("progressive", PNASSpace(), quorum="abc"),
            "quorum is a number in (0, 1]",
        ),
        (
            lambda: get_strategy("progressive", PNASSpace(), quorum=True),
            "quorum is a number in (0, 1]",
        ),
        (
            lambda: get_strategy("progressive", PNASSpace(), kind=[1]),
            "kind is one of 'mlp', 'lstm', got (1,)",
        ),
        (
            lambda: get_strategy("progressive", PNASSpace(), first_learning_rate="abc"),
            "first_learning_rate is a number above 0, got 'abc'",
        ),
        (lambda: get_strategy("progressive", PNASSpace(), kind="mlpp"), "did you mean 'mlp'"),
        (lambda: get_strategy("progressive", PNASSpace(), members=0), "members is a whole number"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
