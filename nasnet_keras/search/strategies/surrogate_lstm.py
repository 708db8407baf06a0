"""The recurrent surrogate (Liu et al. 2018, section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasnet_keras.search.spaces.pnas_space import PNAS_OPERATIONS
from nasnet_keras.search.strategies import lstm_over_prefixes as lstm
from nasnet_keras.search.strategies.lstm_over_prefixes import LSTMWeights
from nasnet_keras.search.strategies.prefix_tree import prefix_tree
from nasnet_keras.search.strategies.surrogate_network import Lesson, SurrogateNetwork, Weights

# Cells in a call of `predict`.
_ROWS = 4096
# Of `keras.optimizers.Adam`.
_BETA_1, _BETA_2, _EPSILON = np.float32(0.9), np.float32(0.999), np.float32(1e-7)


class LSTMSurrogate(SurrogateNetwork):
    """An LSTM over the 4b tokens of a cell; its last state gives the prediction.

    The cells of a level extend few parents, so that most of what an LSTM computes of them is the
    same: it is computed once (`lstm_over_prefixes`). An ensemble is fitted all at once.

    Args:
        num_blocks: B, the most blocks of a cell.
        embedding_size: Size of the embeddings.
        units: Units of the LSTM.
    """

    def __init__(self, num_blocks: int, embedding_size: int, units: int) -> None:
        self._num_inputs = num_blocks + 2
        self._num_tokens = self._num_inputs + len(PNAS_OPERATIONS) + 1
        self._embedding_size = embedding_size
        self._units = units
        self._buffers = lstm.Buffers()

    def shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        size, units = self._embedding_size, self._units
        return [
            ("input_embedding/embeddings", (self._num_inputs, size)),
            ("operation_embedding/embeddings", (self._num_tokens - self._num_inputs, size)),
            ("final/kernel", (units, 1)),
            ("final/bias", (1,)),
            ("lstm/kernel", (size, 4 * units)),
            ("lstm/recurrent_kernel", (units, 4 * units)),
            ("lstm/bias", (4 * units,)),
        ]

    def fit(self, lessons: Sequence[Lesson], learning_rate: float) -> list[Weights]:
        # Those with the most steps first, so that the ones that go on are the first.
        order = sorted(range(len(lessons)), key=lambda i: -len(lessons[i].targets))
        lessons = [lessons[i] for i in order]
        weights = self._stacked([lesson.weights for lesson in lessons])
        moments, slopes = np.zeros((2, *weights.shape), "float32"), np.empty_like(weights)
        tokens = [self._tokens(lesson.cells) for lesson in lessons]
        for step in range(len(lessons[0].targets)):
            going = sum(len(lesson.targets) > step for lesson in lessons)
            self._gradient(
                weights[:going],
                np.stack([each[step] for each in tokens[:going]]),
                np.stack([lesson.targets[step] for lesson in lessons[:going]]),
                slopes[:going],
            )
            change = self._buffers.take("change", going, weights.shape[1])
            _adam_step(
                weights[:going], slopes[:going], moments[:, :going], step + 1, learning_rate, change
            )
        fitted: list[Weights] = [[] for _ in lessons]
        for place, values in zip(order, weights, strict=True):
            fitted[place] = [value[0].copy() for value in self._parts(values[None])]
        return fitted

    def predict(self, members: Sequence[Weights], cells: np.ndarray) -> np.ndarray:
        stacked = self._stacked(members)
        total = np.zeros(len(cells))
        for start in range(0, len(cells), _ROWS):
            rows = slice(start, start + _ROWS)
            tokens = self._tokens(cells[rows])
            tree = prefix_tree(np.zeros(len(tokens), "int64"), tokens)
            for values in stacked:
                weights, final, bias = self._named(values[None])
                outputs = lstm.run(weights, tree, self._buffers).outputs
                total[rows] += _sigmoid(outputs @ final[0] + bias[0])[tree.ends]
        return total / len(members)

    def _gradient(
        self, weights: np.ndarray, tokens: np.ndarray, targets: np.ndarray, result: np.ndarray
    ) -> None:
        """Finds the gradients of the mean absolute errors.

        Args:
            weights: `(members, values)`.
            tokens: `(members, batch, length)`.
            targets: `(members, batch)`.
            result: `(members, values)`, where the gradients are written.
        """
        members, batch = targets.shape
        named, final, bias = self._named(weights)
        groups = np.repeat(np.arange(members), batch)
        tree = prefix_tree(groups, tokens.reshape(len(groups), -1))
        states = lstm.run(named, tree, self._buffers)
        last = states.outputs[tree.ends].reshape(members, batch, -1)
        predicted = _sigmoid((last @ final[..., None])[..., 0] + bias)
        of_logits = np.sign(predicted - targets) / np.float32(batch)
        of_logits *= predicted * (1 - predicted)
        # A cell may be in a batch twice.
        of_nodes = np.bincount(tree.ends, of_logits.ravel(), len(tree.tokens)).astype("float32")
        of_outputs = self._buffers.take("of_outputs", len(of_nodes), final.shape[1])
        np.multiply(of_nodes[:, None], final[tree.groups], out=of_outputs)
        slopes, of_final, of_bias = self._named(result)
        of_final[:] = (of_logits[:, None] @ last)[:, 0]
        of_bias[:] = of_logits.sum(axis=1, keepdims=True)
        lstm.gradients(named, tree, states, of_outputs, slopes, self._buffers)

    def _tokens(self, cells: np.ndarray) -> np.ndarray:
        """Returns `(..., 4 * blocks)`: operations are told from inputs, missing ones stay 0."""
        tokens = cells + np.array([0, 0, self._num_inputs, self._num_inputs], cells.dtype)
        tokens = np.where(cells > 0, tokens, 0)
        return tokens.reshape(*cells.shape[:-2], -1)

    def _stacked(self, members: Sequence[Weights]) -> np.ndarray:
        """Returns `(members, values)`: all weights of each in a row."""
        rows = [np.concatenate([value.ravel() for value in weights]) for weights in members]
        return np.stack(rows).astype("float32")

    def _parts(self, stacked: np.ndarray) -> list[np.ndarray]:
        """Returns the weights in their shapes, as views of the rows."""
        parts, start = [], 0
        for _, shape in self.shapes():
            end = start + int(np.prod(shape))
            parts.append(stacked[:, start:end].reshape(len(stacked), *shape))
            start = end
        return parts

    def _named(self, stacked: np.ndarray) -> tuple[LSTMWeights, np.ndarray, np.ndarray]:
        """Returns, as views, the LSTM's weights and the last layer's, `(members, units or 1)`."""
        _, _, final, bias, kernel, recurrent, gate_bias = self._parts(stacked)
        # The two embeddings stand side by side.
        embedding = stacked[:, : self._num_tokens * self._embedding_size]
        embedding = embedding.reshape(len(stacked), self._num_tokens, self._embedding_size)
        return LSTMWeights(embedding, kernel, recurrent, gate_bias), final[..., 0], bias


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def _adam_step(
    weights: np.ndarray,
    slopes: np.ndarray,
    moments: np.ndarray,
    step: int,
    learning_rate: float,
    change: np.ndarray,
) -> None:
    """Changes weights and moments, in place, as `keras.optimizers.Adam` does.

    What stood in `slopes` and `change` is lost.
    """
    one, count = np.float32(1), np.float32(step)
    rate = np.float32(learning_rate) * np.sqrt(one - _BETA_2**count) / (one - _BETA_1**count)
    first, second = moments
    np.subtract(slopes, first, out=change)
    change *= one - _BETA_1
    first += change
    np.square(slopes, out=slopes)
    slopes -= second
    slopes *= one - _BETA_2
    second += slopes
    np.sqrt(second, out=slopes)
    slopes += _EPSILON
    np.divide(first, slopes, out=slopes)
    slopes *= rate
    weights -= slopes
