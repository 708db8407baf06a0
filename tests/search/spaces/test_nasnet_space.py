"""The decisions of NASNet's space."""

import numpy as np
import pytest

from nasnet_keras.search import (
    NASNetSpace,
)


def test_nasnet_makes_fifty_decisions() -> None:
    space = NASNetSpace()
    assert len(space.decisions) == 50
    names = [decision.name for decision in space.decisions[5:10]]
    assert names == [
        f"normal/block_1/{what}"
        for what in ("input_1", "input_2", "operation_1", "operation_2", "combine")
    ]
    assert space.decisions[25].name == "reduction/block_0/input_1"
    assert [len(space.decisions[5 * b].choices) for b in range(5)] == [2, 3, 4, 5, 6]
    cell = np.prod([(n * n) * 13 * 13 * 2 for n in range(2, 7)], dtype=object)
    assert space.count() == cell**2


def test_mutation_draws_the_kind_first() -> None:
    space = NASNetSpace()
    generator = np.random.default_rng(3)
    start = space.sample(generator)
    kinds = []
    for _ in range(3000):
        mutated = space.mutate(start, generator)
        number = next(i for i in range(50) if mutated[i] != start[i])
        kinds.append(space.decisions[number].kind)
    for kind in ("input", "operation", "combine"):
        assert kinds.count(kind) / 3000 == pytest.approx(1 / 3, abs=0.05)
