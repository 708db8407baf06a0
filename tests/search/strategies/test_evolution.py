"""Regularized evolution: who mutates, and that it climbs."""

import numpy as np

from nasnet_keras.search import (
    CategoricalSpace,
    RegularizedEvolution,
    Result,
    get_strategy,
)


def test_evolution_mutates_the_best_of_the_youngest() -> None:
    space = CategoricalSpace("line", {"x": tuple(range(50)), "y": tuple(range(50))})
    strategy = RegularizedEvolution(space, population_size=4, sample_size=4)
    proposals = strategy.ask(8)
    # The best comes first and is dead before it can be a parent; the worst four are the youngest.
    strategy.tell([Result(p.number, 1.0 - p.number / 10) for p in proposals])
    parents = [p.architecture for p in proposals[4:]]
    chosen = set()
    for proposal in strategy.ask(60):
        near = [
            i for i, parent in enumerate(parents)
            if sum(a != b for a, b in zip(parent, proposal.architecture, strict=True)) == 1
        ]  # fmt: skip
        assert near
        chosen.add(near[0])
    # Four draws with replacement miss the best now and then, (3/4)^4 of the time.
    assert 0 in chosen and len(chosen) > 1
    assert strategy.state_dict()["population"] == [
        [list(p.architecture), 1.0 - p.number / 10] for p in proposals[4:]
    ]


def test_evolution_climbs() -> None:
    space = CategoricalSpace("bits", {str(i): (0, 1) for i in range(30)})
    strategy = get_strategy("evolution", space, population_size=20, sample_size=5)
    best = 0.0
    for _ in range(60):
        proposals = strategy.ask(10)
        told = [Result(p.number, float(np.mean(p.architecture))) for p in proposals]
        best = max(best, *(float(result.reward or 0) for result in told))
        strategy.tell(told)
    assert best > 0.93
