"""The recurrent surrogate beside the same network of Keras's layers."""

import keras
import numpy as np
import pytest
from keras import ops

from nasnet_keras.search import PNASSpace
from nasnet_keras.search.strategies.surrogate_lstm import LSTMSurrogate
from nasnet_keras.search.strategies.surrogate_network import Lesson

BLOCKS = 3


class KerasLSTM(keras.Model):
    """Its weights in the order of stored states: embeddings, the last layer, the LSTM.

    The embeddings are products. Keras's Adam would, on TensorFlow, square what each place adds to
    the gradient of a token's embedding, not their sum.
    """

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.input_embedding = keras.layers.Embedding(BLOCKS + 2, size)
        self.operation_embedding = keras.layers.Embedding(9, size)
        self.final = keras.layers.Dense(1, activation="sigmoid", name="final")
        self.lstm = keras.layers.LSTM(units, name="lstm")
        self.input_embedding.build()
        self.operation_embedding.build()
        self(np.zeros((1, BLOCKS, 4), "int32"))

    def call(self, cells):
        pairs = ((self.input_embedding, cells[..., :2]), (self.operation_embedding, cells[..., 2:]))
        x = ops.concatenate(
            [
                ops.one_hot(tokens, layer.input_dim, dtype="float32") @ layer.embeddings
                for layer, tokens in pairs
            ],
            axis=2,
        )
        x = ops.reshape(x, (-1, 4 * BLOCKS, x.shape[3]))
        return self.final(self.lstm(x, mask=ops.reshape(cells > 0, (-1, 4 * BLOCKS))))


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """Cells of one, two and three blocks, plus 1, in no order; some share their beginnings."""
    space = PNASSpace(BLOCKS)
    one = space.first_level()
    two = space.children(one[::40])
    three = space.children(two[::300].tolist())
    groups = [np.array(one[::9]), two[::25], three[::70]]
    rows = np.zeros((sum(map(len, groups)), 4 * BLOCKS), "int32")
    start = 0
    for group in groups:
        rows[start : start + len(group), : group.shape[1]] = group + 1
        start += len(group)
    return np.random.default_rng(0).permutation(rows).reshape(-1, BLOCKS, 4)


def lessons(network: LSTMSurrogate, cells: np.ndarray, steps: list[int]) -> list[Lesson]:
    generator = np.random.default_rng(1)
    made = []
    for count in steps:
        chosen = generator.integers(len(cells), size=(count, 8))
        # Twice in a batch, with two accuracies.
        chosen[:, 1] = chosen[:, 0]
        targets = generator.uniform(0.2, 1, chosen.shape).astype("float32")
        made.append(Lesson(network.initial_weights(generator), cells[chosen], targets))
    return made


def test_predictions_are_keras_s(cells: np.ndarray) -> None:
    network, other = LSTMSurrogate(BLOCKS, 6, 5), KerasLSTM(6, 5)
    assert [shape for _, shape in network.shapes()] == [tuple(w.shape) for w in other.weights]
    generator = np.random.default_rng(2)
    members = [
        [generator.uniform(-1, 1, shape).astype("float32") for _, shape in network.shapes()]
        for _ in range(2)
    ]
    expected = []
    for weights in members:
        other.set_weights(weights)
        expected.append(ops.convert_to_numpy(other(cells))[:, 0])
    found = network.predict(members, cells)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=3e-7)
    assert np.ptp(found) > 0.1


def test_a_fit_is_keras_s(cells: np.ndarray) -> None:
    """Step by step, for members that end at different steps."""
    network = LSTMSurrogate(BLOCKS, 6, 5)
    made = lessons(network, cells, [7, 12])
    fitted = network.fit(made, 0.01)
    other = KerasLSTM(6, 5)
    for lesson, weights in zip(made, fitted, strict=True):
        other.compile(keras.optimizers.Adam(0.01), loss="mean_absolute_error")
        other.set_weights(lesson.weights)
        for batch, targets in zip(lesson.cells, lesson.targets, strict=True):
            other.train_on_batch(batch, targets[:, None])
        for (name, _), mine, theirs in zip(
            network.shapes(), weights, other.get_weights(), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, atol=2e-5, err_msg=name)
            assert mine.dtype == np.float32
    # An ensemble's members do not depend on each other.
    (alone,) = network.fit(made[:1], 0.01)
    for mine, theirs in zip(alone, fitted[0], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
