"""What a surrogate's network does: it is fitted, and it predicts."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

# The sigmoid of this, 0.86, is near the expected accuracies (PNASNet's section 5.2).
_FINAL_BIAS = 1.8

Weights = list[np.ndarray]


class Lesson(NamedTuple):
    """What one network is fitted to.

    Attributes:
        weights: Its weights before.
        cells: `(steps, batch, blocks, 4)` integers (see `SurrogateNetwork`).
        targets: `(steps, batch)`, their accuracies.
    """

    weights: Weights
    cells: np.ndarray
    targets: np.ndarray


class SurrogateNetwork(abc.ABC):
    """Predicts a cell's accuracy (Liu et al. 2018, section 4.2).

    One embedding of inputs, one of operations, a sigmoid at the end. A cell is `(blocks, 4)`
    integers: input 1, input 2, operation 1, operation 2, each plus 1; missing blocks are 0 and come
    last.
    """

    @abc.abstractmethod
    def shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        """Returns names and shapes of the weights, in the order in which they are stored."""

    @abc.abstractmethod
    def fit(self, lessons: Sequence[Lesson], learning_rate: float) -> list[Weights]:
        """Returns the weights of each network after its lesson.

        Each step of Adam is one on the mean absolute error of a batch.
        """

    @abc.abstractmethod
    def predict(self, members: Sequence[Weights], cells: np.ndarray) -> np.ndarray:
        """Returns the mean of the members' predictions, `(cells,)`, in (0, 1).

        Args:
            members: The weights of each.
            cells: `(cells, blocks, 4)` integers.
        """

    def initial_weights(self, generator: np.random.Generator) -> Weights:
        """Draws new weights, equal on every backend.

        Embeddings are uniform within plus and minus 0.1, matrices Glorot uniform, biases 0 except
        the last one and those of forget gates (1).
        """
        return list(_draw(self.shapes(), generator))


def _draw(
    shapes: Iterable[tuple[str, tuple[int, ...]]], generator: np.random.Generator
) -> Iterable[np.ndarray]:
    for name, shape in shapes:
        if name.endswith("embeddings"):
            value = generator.uniform(-0.1, 0.1, shape)
        elif len(shape) == 2:
            limit = np.sqrt(6.0 / sum(shape))
            value = generator.uniform(-limit, limit, shape)
        elif "final" in name:
            value = np.full(shape, _FINAL_BIAS)
        else:
            value = np.zeros(shape)
            if "lstm" in name:
                value[shape[0] // 4 : shape[0] // 2] = 1.0
        yield value.astype("float32")
