"""The feed-forward surrogate (Liu et al. 2018, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.search.spaces.pnas_space import PNAS_OPERATIONS
from nasnet_keras.search.strategies.surrogate_network import Lesson, SurrogateNetwork, Weights

# Cells in a call of `predict`; a fixed shape is compiled once.
_ROWS = 4096
# Training steps in a call.
_STEPS = 50


class MLPSurrogate(SurrogateNetwork):
    """A block's four embeddings side by side, the mean over blocks, two dense layers with ReLU.

    Args:
        num_blocks: B, the most blocks of a cell.
        embedding_size: Size of the embeddings.
        units: Units of each of the dense layers.
    """

    def __init__(self, num_blocks: int, embedding_size: int, units: int) -> None:
        # One compiled network, which takes each member's weights in turn.
        self._network = _MLP(num_blocks, embedding_size, units, name="mlp_surrogate")
        self._optimizer = keras.optimizers.Adam()
        self._network.compile(
            self._optimizer,
            loss="mean_absolute_error",
            # A step is shorter than Python's overhead between steps.
            steps_per_execution=_STEPS,
            jit_compile=keras.backend.backend() == "jax",
        )
        self._optimizer.build(self._network.trainable_variables)

    def shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        return [(variable.path, tuple(variable.shape)) for variable in self._network.weights]

    def fit(self, lessons: Sequence[Lesson], learning_rate: float) -> list[Weights]:
        return [self._fit(lesson, learning_rate) for lesson in lessons]

    def _fit(self, lesson: Lesson, learning_rate: float) -> Weights:
        self._network.set_weights(lesson.weights)
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        self._optimizer.learning_rate = learning_rate
        cells = lesson.cells.reshape(-1, *lesson.cells.shape[2:])
        targets, size = lesson.targets.reshape(-1, 1), lesson.targets.shape[1]
        self._network.fit(cells, targets, size, shuffle=False, verbose=0)
        return self._network.get_weights()

    def predict(self, members: Sequence[Weights], cells: np.ndarray) -> np.ndarray:
        total = np.zeros(len(cells))
        for weights in members:
            self._network.set_weights(weights)
            for start in range(0, len(cells), _ROWS):
                rows = cells[start : start + _ROWS]
                filled = np.pad(rows, ((0, _ROWS - len(rows)), (0, 0), (0, 0)))
                answer = np.asarray(self._network.predict_on_batch(filled))
                total[start : start + len(rows)] += answer[: len(rows), 0]
        return total / len(members)


class _MLP(keras.Model):
    def __init__(self, num_blocks: int, embedding_size: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_embedding = keras.layers.Embedding(num_blocks + 2, embedding_size)
        self.operation_embedding = keras.layers.Embedding(len(PNAS_OPERATIONS) + 1, embedding_size)
        self.final = keras.layers.Dense(1, activation="sigmoid", name="final")
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in range(2)]
        self(np.zeros((1, num_blocks, 4), "int32"))

    def call(self, cells: Any) -> Any:
        present = ops.cast(cells[..., :1] > 0, self.compute_dtype)
        fraction = present / ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0)
        means = [
            self._mean_embedding(self.input_embedding, cells[..., :2], fraction),
            self._mean_embedding(self.operation_embedding, cells[..., 2:], fraction),
        ]
        x = ops.concatenate(means, axis=1)
        x = ops.reshape(x, (-1, x.shape[1] * x.shape[2]))
        for layer in self.hidden:
            x = layer(x)
        return self.final(x)

    def _mean_embedding(self, embedding: Any, tokens: Any, fraction: Any) -> Any:
        """Returns `(batch, 2, embedding_size)`; counts the tokens first, since they are few."""
        one_hot = ops.one_hot(tokens, embedding.input_dim, dtype=self.compute_dtype)
        counts = ops.sum(one_hot * ops.expand_dims(fraction, -1), axis=1)
        return ops.matmul(counts, embedding(ops.arange(embedding.input_dim)))
