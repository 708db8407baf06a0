"""A surrogate: predicts accuracies of unseen cells, even of unseen sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nasnet_keras.search.strategies.surrogate_lstm import LSTMSurrogate
from nasnet_keras.search.strategies.surrogate_mlp import MLPSurrogate
from nasnet_keras.search.strategies.surrogate_network import Lesson, SurrogateNetwork, Weights
from nasnet_keras.search.strategies.surrogate_settings import MLP_ENSEMBLE, SurrogateSettings

_NETWORKS: dict[str, Callable[[int, int, int], SurrogateNetwork]] = {
    "mlp": MLPSurrogate,
    "lstm": LSTMSurrogate,
}


class Surrogate:
    """One network or an ensemble, fitted to the cells trained so far.

    A single network is fine-tuned from its last weights; the members of an ensemble start from
    scratch each time, each without one part of the data. With fewer cells than members, only as
    many members as cells are fitted, and a single one to all of them.

    Args:
        num_blocks: B, the most blocks of a cell.
        settings: Kind, members and fit.
        seed: Seed of weights, left-out parts and order of the data.
    """

    def __init__(
        self, num_blocks: int, settings: SurrogateSettings = MLP_ENSEMBLE, seed: int = 0
    ) -> None:
        self.num_blocks = num_blocks
        self.settings = settings
        self.seed = seed
        self._fits = 0
        self._network = _NETWORKS[settings.kind](
            num_blocks, settings.embedding_size, settings.units
        )
        self._members: list[Weights] = []

    def fit(self, cells: Sequence[Sequence[int]], rewards: Sequence[float]) -> None:
        """Fits the surrogate to trained cells, minimizing the mean absolute error.

        Args:
            cells: Architectures of `PNASSpace`, of any numbers of blocks.
            rewards: Their accuracies, in [0, 1].

        Raises:
            ValueError: There are no cells, lengths differ, or a reward is out of range.
        """
        settings = self.settings
        targets = np.asarray(rewards, "float32")
        if len(cells) != len(targets) or not len(cells):
            raise ValueError(
                "a surrogate is fitted to one cell or more and a reward for each, got "
                f"{len(cells)} cells and {len(targets)} rewards"
            )
        if not ((targets >= 0) & (targets <= 1)).all():
            raise ValueError(
                "a surrogate predicts rewards in [0, 1], got some from "
                f"{targets.min():g} to {targets.max():g}"
            )
        inputs = self._as_input(cells)
        generator = np.random.default_rng([self.seed, self._fits])
        rate = settings.learning_rate if self._fits else settings.first_learning_rate
        count = min(settings.members, len(cells))
        parts = generator.permutation(len(targets)) % count
        lessons = []
        for member in range(count):
            if self._members and settings.members == 1:
                weights = self._members[0]
            else:
                weights = self._network.initial_weights(generator)
            mine = np.flatnonzero((parts != member) | (count == 1))
            rows = mine[self._batches(len(mine), generator)]
            lessons.append(Lesson(weights, inputs[rows], targets[rows]))
        self._members = self._network.fit(lessons, rate)
        self._fits += 1

    def _batches(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Returns `(steps, batch)` indices: every epoch in an order of its own.

        The last batch is filled from the start of the same order, to keep one shape.
        """
        size = self.settings.batch_size
        orders = [generator.permutation(count) for _ in range(self.settings.epochs)]
        filled = -(-count // size) * size
        return np.concatenate([np.resize(order, filled) for order in orders]).reshape(-1, size)

    def predict(self, cells: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
        """Returns the predicted accuracies, the mean over members.

        Args:
            cells: Architectures of `PNASSpace`.

        Returns:
            `(len(cells),)`, in (0, 1).

        Raises:
            RuntimeError: The surrogate has not been fitted.
        """
        if not self._members:
            raise RuntimeError("the surrogate cannot predict before it is fitted")
        return self._network.predict(self._members, self._as_input(cells))

    def _as_input(self, cells: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
        inputs = np.zeros((len(cells), 4 * self.num_blocks), "int32")
        if isinstance(cells, np.ndarray):
            inputs[:, : cells.shape[1]] = cells + 1
        else:
            for row, cell in enumerate(cells):
                inputs[row, : len(cell)] = np.asarray(cell) + 1
        return inputs.reshape(-1, self.num_blocks, 4)

    def state_dict(self) -> dict[str, Any]:
        """Returns weights and number of fits as a flat dictionary (see `Strategy.state_dict`)."""
        state: dict[str, Any] = {"surrogate_fits": self._fits}
        for member, weights in enumerate(self._members):
            for i, value in enumerate(weights):
                state[f"surrogate_{member}_{i}"] = np.array(value)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores the state that `state_dict` returned."""
        self._fits = int(state["surrogate_fits"])
        count = len(self._network.shapes())
        # The last fit may have had fewer cells than there are members.
        self._members = [
            [np.asarray(state[f"surrogate_{member}_{i}"]) for i in range(count)]
            for member in range(self.settings.members)
            if f"surrogate_{member}_0" in state
        ]
