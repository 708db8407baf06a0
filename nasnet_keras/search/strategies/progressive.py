"""Progressive search: from simple cells to complex ones, led by a surrogate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nasnet_keras.search.spaces.pnas_space import PNASSpace
from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.search.strategies.strategy import Strategy
from nasnet_keras.search.strategies.surrogate_settings import MLP_ENSEMBLE, SurrogateSettings
from nasnet_keras.settings import Count, Probability, check_value


class Progressive(Strategy):
    """PNASNet's search (Liu et al. 2018, algorithm 1).

    All distinct cells of one block are trained, the surrogate is fitted, every trained cell is
    extended by every block, and the K children of highest predicted accuracy are trained next,
    until cells have B blocks: 136 + 4 * 256 = 1,160 children in the paper. No network is proposed
    twice. Its result is the best of the last level.

    A level begins when all children of the one before have a result; until then, `ask` returns
    nothing. The call of `ask` that begins a level fits the surrogate and scores all candidates.
    Failed children are neither learned from nor extended; where all of a level fail, the search is
    finished.

    Args:
        space: The search space, which defines B.
        seed: Seed of the surrogate.
        beam_size: K; 256 in the paper.
        surrogate: Kind of surrogate and its fit.
        quorum: Fraction of a level's children that need a result before the next level begins.
            Below 1, children that never finish do not block the search; late results are learned
            from, but their cells are not extended.

    Attributes:
        level: Blocks of the cells being proposed.

    Raises:
        ValueError: The space has no levels, or a value is out of range.
    """

    name = "progressive"

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        beam_size: int = 256,
        surrogate: SurrogateSettings = MLP_ENSEMBLE,
        quorum: float = 1.0,
    ) -> None:
        super().__init__(space, seed)
        if not isinstance(space, PNASSpace):
            raise ValueError(
                f"progressive search needs cells that grow, space 'pnas'; got {space.name!r}"
            )
        check_value("beam_size", Count, beam_size)
        check_value("quorum", Probability, quorum)
        from nasnet_keras.search.strategies.surrogate import Surrogate

        self.pnas_space = space
        self.beam_size = beam_size
        self.quorum = quorum
        self.surrogate = Surrogate(space.num_blocks, surrogate, seed)
        self._cells: list[Architecture] = []
        self._rewards: list[float] = []
        self._begin_level(1, space.first_level(), None)

    def settings(self) -> dict[str, Any]:
        surrogate = self.surrogate.settings.to_dict()
        return {"beam_size": self.beam_size, "quorum": self.quorum, "surrogate": surrogate}

    @property
    def finished(self) -> bool:
        if self._next_number < self._first_number + len(self._queue):
            return False
        return self.dead_end is not None or self.level == self.pnas_space.num_blocks

    @property
    def dead_end(self) -> str | None:
        dead = self._told == len(self._queue) and not self._parents
        return f"cell of level {self.level}" if dead else None

    def _begin_level(
        self, level: int, queue: list[Architecture], predictions: list[float] | None
    ) -> None:
        self.level = level
        self._first_number = self._next_number
        self._queue = queue
        self._predictions = predictions
        self._told = 0
        self._parents: list[tuple[int, Architecture]] = []

    def _propose(self, number: int) -> Architecture | None:
        if number == self._first_number + len(self._queue):
            needed = math.ceil(self.quorum * len(self._queue))
            if self.finished or self._told < needed or not self._parents:
                return None
            self._grow()
        return self._queue[number - self._first_number]

    def _predicted_reward(self, number: int) -> float | None:
        return self._predictions[number - self._first_number] if self._predictions else None

    def _grow(self) -> None:
        """Fits the surrogate and picks the K best of all distinct children."""
        self.surrogate.fit(self._cells, self._rewards)
        # In the order of their numbers, so that ties do not depend on which finished first.
        parents = [architecture for _, architecture in sorted(self._parents)]
        children = self.pnas_space.children(parents)
        predictions = self.surrogate.predict(children)
        queue: list[Architecture] = []
        scores: list[float] = []
        seen: set[Architecture] = set()
        for index in np.argsort(-predictions, kind="stable").tolist():
            child = tuple(children[index].tolist())
            form = self.pnas_space.canonical(child)
            if form not in seen:
                seen.add(form)
                # As scored, not canonical: the LSTM surrogate depends on the order of the blocks.
                queue.append(child)
                scores.append(float(predictions[index]))
                if len(queue) == self.beam_size:
                    break
        self._begin_level(self.level + 1, queue, scores)

    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:
        current = number >= self._first_number
        self._told += current
        if reward is None:
            return
        self._cells.append(architecture)
        self._rewards.append(reward)
        if current:
            self._parents.append((number, architecture))

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            **self.surrogate.state_dict(),
            "level": self.level,
            "first_number": self._first_number,
            "queue": [list(a) for a in self._queue],
            "predictions": self._predictions,
            "told": self._told,
            "parents": [[number, list(a)] for number, a in self._parents],
            "cells": [list(a) for a in self._cells],
            "rewards": list(self._rewards),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.surrogate.load_state_dict(state)
        self.level = int(state["level"])
        self._first_number = int(state["first_number"])
        self._queue = [tuple(a) for a in state["queue"]]
        predictions = state["predictions"]
        self._predictions = None if predictions is None else [float(p) for p in predictions]
        self._told = int(state["told"])
        self._parents = [(int(number), tuple(a)) for number, a in state["parents"]]
        self._cells = [tuple(a) for a in state["cells"]]
        self._rewards = [float(reward) for reward in state["rewards"]]
