"""The two networks that predict a cell's accuracy (Liu et al. 2018, section 4.2)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.search.spaces.pnas_space import PNAS_OPERATIONS

# The sigmoid of this, 0.86, is near the expected accuracies (PNASNet's section 5.2).
_FINAL_BIAS = 1.8


class SurrogateNetwork(keras.Model):
    """Base of both: one embedding of inputs, one of operations, a sigmoid at the end.

    Input shape: `(batch, blocks, 4)`, integers: input 1, input 2, operation 1, operation 2, each
    plus 1; missing blocks are 0 and come last.
    Output shape: `(batch, 1)`, the predicted accuracy in (0, 1).

    Args:
        num_blocks: B, the most blocks of a cell.
        embedding_size: Size of the embeddings.
        units: Units of the hidden layers.
        **kwargs: Of `keras.Model`.
    """

    def __init__(self, num_blocks: int, embedding_size: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_blocks = num_blocks
        self.input_embedding = keras.layers.Embedding(num_blocks + 2, embedding_size)
        self.operation_embedding = keras.layers.Embedding(len(PNAS_OPERATIONS) + 1, embedding_size)
        self.final = keras.layers.Dense(1, activation="sigmoid", name="final")
        self.make_layers(units)
        self(np.zeros((1, num_blocks, 4), "int32"))

    def make_layers(self, units: int) -> None:
        """Makes the layers between the embeddings and the end."""
        raise NotImplementedError

    def reset(self, generator: np.random.Generator) -> None:
        """Draws new weights, equal on every backend.

        Embeddings are uniform within plus and minus 0.1, matrices Glorot uniform, biases 0 except
        the last one and those of forget gates (1).
        """
        values = []
        for variable in self.weights:
            shape = tuple(variable.shape)
            if variable.path.endswith("embeddings"):
                value = generator.uniform(-0.1, 0.1, shape)
            elif len(shape) == 2:
                limit = np.sqrt(6.0 / sum(shape))
                value = generator.uniform(-limit, limit, shape)
            elif "final" in variable.path:
                value = np.full(shape, _FINAL_BIAS)
            else:
                value = np.zeros(shape)
                if "lstm" in variable.path:
                    value[shape[0] // 4 : shape[0] // 2] = 1.0
            values.append(value)
        self.set_weights(values)


class MLPSurrogate(SurrogateNetwork):
    """A block's four embeddings side by side, the mean over blocks, two dense layers with ReLU."""

    def make_layers(self, units: int) -> None:
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in range(2)]

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


class LSTMSurrogate(SurrogateNetwork):
    """An LSTM over the 4b tokens of a cell; its last state gives the prediction."""

    def make_layers(self, units: int) -> None:
        self.lstm = keras.layers.LSTM(units, name="lstm")

    def call(self, cells: Any) -> Any:
        x = ops.concatenate(
            [self.input_embedding(cells[..., :2]), self.operation_embedding(cells[..., 2:])], axis=2
        )
        x = ops.reshape(x, (-1, 4 * self.num_blocks, x.shape[3]))
        present = ops.reshape(cells > 0, (-1, 4 * self.num_blocks))
        return self.final(self.lstm(x, mask=present))


NETWORKS: dict[str, type[SurrogateNetwork]] = {"mlp": MLPSurrogate, "lstm": LSTMSurrogate}
