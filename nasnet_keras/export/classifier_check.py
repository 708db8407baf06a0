"""Whether an exported classifier answers as the network that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import float_info

import numpy as np

LOGITS, PROBABILITIES = "logits", "probabilities"
OUTPUTS = (LOGITS, PROBABILITIES)

Answer = Mapping[str, np.ndarray]
"""`logits` and `probabilities`, `(batch, classes)`."""

# Where the best class has all but this, nothing of the others is left to compare.
_LEAST_DOUBT = 1e-6


@dataclass(frozen=True)
class Limits:
    """How far an exported classifier may be from the network.

    Attributes:
        probability: Largest difference of probabilities.
        logit: Largest difference of logits, as a part of the largest logit.
        lead: Where the best class differs, the network's lead of its own over the next one, in
            probability, is at most this.
    """

    probability: float
    logit: float
    lead: float


LIMITS: Mapping[str, Limits] = {
    "float32": Limits(1e-5, 1e-4, 0.0),
    # Eleven bits of mantissa, and eight: rounding adds up over some hundred layers.
    "float16": Limits(2e-2, 2e-2, 2e-2),
    "bfloat16": Limits(1e-1, 1e-1, 1e-1),
    # That is judged by its accuracy; but a number must be one.
    "int8": Limits(1.0, float_info.max, 1.0),
}
"""Limits by the precision of a file."""


@dataclass(frozen=True)
class ClassifierComparison:
    """How much two classifiers differ on some pictures.

    Attributes:
        pictures: Pictures compared.
        probability_difference: Largest difference of their probabilities.
        logit_difference: Largest difference of their logits, as a part of the largest.
        changed: Pictures whose best class differs.
        lead: The largest lead of the network's best class, in probability, in these; 0 if none.
    """

    pictures: int
    probability_difference: float
    logit_difference: float
    changed: int
    lead: float

    def agrees(self, limits: Limits) -> bool:
        """Returns whether they are within some limits; not if a number is none."""
        return (
            self.probability_difference <= limits.probability
            and self.logit_difference <= limits.logit
            and self.lead <= limits.lead
        )

    def __str__(self) -> str:
        best = f"another best class in {self.changed}" if self.changed else "the same best class"
        return (
            f"{self.pictures} pictures: probabilities within {self.probability_difference:.1e}, "
            f"logits within {self.logit_difference:.1e} of the largest, {best}"
        )


def check_comparable(expected: Answer) -> None:
    """Refuses answers that would hide a difference.

    Args:
        expected: What the network answers to the pictures.

    Raises:
        ValueError: They are not finite, or one class has all probability in every picture, as with
            a network that was not trained.
    """
    for name in OUTPUTS:
        if not np.isfinite(expected[name]).all():
            raise ValueError("the network answers with numbers that are not finite")
    if expected[PROBABILITIES].shape[1] > 1 and expected[PROBABILITIES].max(1).min() > (
        1 - _LEAST_DOUBT
    ):
        raise ValueError(
            "the network gives one class all probability in every picture, as one does that was "
            "not trained, so its files cannot be compared with it: name other pictures to compare "
            "on, or train it"
        )


def compare_answers(expected: Answer, found: Answer) -> ClassifierComparison:
    """Compares the answers of two classifiers to the same pictures.

    Args:
        expected: The network's.
        found: The exported file's.

    Raises:
        ValueError: Their shapes differ.
    """
    for name in OUTPUTS:
        if np.shape(expected[name]) != np.shape(found[name]):
            raise ValueError(
                f"{name} of shape {np.shape(expected[name])} were expected, "
                f"{np.shape(found[name])} came back"
            )
    probabilities = np.asarray(expected[PROBABILITIES], "float64")
    logits = np.asarray(expected[LOGITS], "float64")
    others = np.asarray(found[PROBABILITIES], "float64")
    changed = probabilities.argmax(1) != others.argmax(1)
    ordered = np.sort(probabilities, axis=1)
    leads = ordered[:, -1] - ordered[:, -2] if ordered.shape[1] > 1 else np.zeros(len(ordered))
    # NaN would be no difference to `max`.
    largest = np.abs(logits).max() or 1.0
    return ClassifierComparison(
        len(probabilities),
        float(np.abs(others - probabilities).max()),
        float(np.abs(np.asarray(found[LOGITS], "float64") - logits).max() / largest),
        int(changed.sum()),
        float(leads[changed].max(initial=0.0)),
    )
