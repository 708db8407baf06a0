"""Strategies on a space whose networks were all trained: a child's accuracy is looked up."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from known_space import KnownSpace, all_architectures
from nasbench201 import load_table
from space_csv import load_space

from nasnet_keras.search import Architecture, Result, Strategy, get_strategy

# The papers' settings, and some for a search of hundreds of children, not of 20,000: the papers'
# learning rates move a softmax little in that time, and their evolution begins with 100 at random.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "random": ("random", {}),
    "reinforce": ("reinforce", {}),
    "ppo": ("ppo", {}),
    "evolution": ("evolution", {}),
    "reinforce-fast": ("reinforce", {"learning_rate": 0.01}),
    "ppo-fast": ("ppo", {"learning_rate": 0.001}),
    "evolution-small": ("evolution", {"population_size": 20, "sample_size": 5}),
    "progressive": ("progressive", {}),
    "progressive-lstm": ("progressive", {"kind": "lstm"}),
}
# Proposals asked for at once, as by as many workers.
AT_ONCE = 20
# A search that proposes this many times as many as it may train has settled.
PATIENCE = 2


def read_known_space(path: str | os.PathLike[str]) -> KnownSpace:
    """Reads a table of NAS-Bench-201 or of a search of ours."""
    with open(path, encoding="utf-8") as file:
        # NAS-Bench-201 has no lines that say how it was made.
        is_ours = file.read(1) == "#"
    if is_ours:
        return load_space(path)
    space, validation, test = load_table(os.fspath(path))
    accuracies, tests = (
        {a: float(table[a]) for a in np.ndindex(table.shape)} for table in (validation, test)
    )
    return KnownSpace(space, {a: a for a in all_architectures(space)}, accuracies, tests)


def search(
    name: str, known: KnownSpace, seed: int, children: int
) -> tuple[list[Architecture], int]:
    """Searches until so many networks were trained, or the search has settled or ended.

    Args:
        name: One of `VARIANTS`.
        known: Where the children are looked up.
        seed: The strategy's.
        children: Networks to train at most.

    Returns:
        The networks in the order of their training, and the number of proposals.
    """
    kind, options = VARIANTS[name]
    strategy: Strategy = get_strategy(kind, known.space, seed, **options)
    trained: dict[Architecture, None] = {}
    count = 0
    while len(trained) < children and count < PATIENCE * children:
        proposals = strategy.ask(AT_ONCE)
        if not proposals:
            break
        count += len(proposals)
        forms = [known.canonical[p.architecture] for p in proposals]
        trained.update(dict.fromkeys(forms))
        strategy.tell(
            [
                Result(p.number, known.accuracies[form])
                for p, form in zip(proposals, forms, strict=True)
            ]
        )
    return list(trained)[:children], count


def top_curve(
    trained: Sequence[Architecture],
    accuracies: Mapping[Architecture, float],
    top: int,
    length: int,
) -> np.ndarray:
    """Returns the mean of the best after 1, 2, ... networks; at the end it keeps its last value."""
    best: list[float] = []
    curve = []
    for architecture in trained:
        best = sorted([*best, accuracies[architecture]])[-top:]
        curve.append(np.mean(best))
    return np.array(curve + [curve[-1]] * (length - len(curve)))
