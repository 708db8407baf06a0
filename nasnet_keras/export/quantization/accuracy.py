"""How many pictures a network gets right, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches
from nasnet_keras.export.quantization.quantizer import Run


@dataclass(frozen=True)
class Accuracy:
    """Pictures whose class is the first choice.

    Attributes:
        correct: How many.
        pictures: Of how many.
    """

    correct: int
    pictures: int

    @property
    def fraction(self) -> float:
        return self.correct / self.pictures

    def points_below(self, other: Accuracy) -> float:
        """Returns by how many points of a hundred this is below another."""
        return 100 * (other.fraction - self.fraction)

    def __str__(self) -> str:
        return f"{self.fraction:.2%}"


def measure_accuracy(run: Run, held_out: EvaluationBatches) -> Accuracy:
    """Runs a network on labelled pictures.

    Answers that are no numbers are wrong.

    Args:
        run: The network.
        held_out: The pictures.
    """
    correct = pictures = 0
    for images, labels in held_out:
        logits = run(np.asarray(images, np.float32))
        finite = np.isfinite(logits).all(axis=1)
        correct += int(np.count_nonzero((logits.argmax(axis=1) == labels) & finite))
        pictures += len(labels)
    return Accuracy(correct, pictures)
