"""A search space whose networks were all trained, so that a strategy's children are looked up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nasnet_keras.search import Architecture, PNASSpace, Space


@dataclass(frozen=True)
class KnownSpace:
    """What is known of every network, by the canonical form of its architecture.

    Attributes:
        space: The space.
        canonical: The canonical form of every architecture.
        accuracies: On the images held out, in [0, 1].
        tests: On the test images, or `None` where nobody tested.
        multiply_adds: Multiply-adds for an image, or `None`.
    """

    space: Space
    canonical: Mapping[Architecture, Architecture]
    accuracies: Mapping[Architecture, float]
    tests: Mapping[Architecture, float] | None = None
    multiply_adds: Mapping[Architecture, float] | None = None


def all_architectures(space: Space) -> Iterator[Architecture]:
    """Yields every sequence of decisions; in a space of cells that grow, those of each size."""
    sizes = [range(len(decision.choices)) for decision in space.decisions]
    lengths = [4 * b for b in space.block_counts] if isinstance(space, PNASSpace) else [len(sizes)]
    for length in lengths:
        yield from itertools.product(*sizes[:length])
