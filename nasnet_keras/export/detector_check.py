"""Whether an exported detector finds the same as the detector itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nasnet_keras.detection.evaluation.mistakes import box_overlaps

CHECKED_SCORE = 0.3

Found = Mapping[str, np.ndarray]
"""`boxes` `(n, 4)`, `scores` `(n,)` and `labels` `(n,)` of one picture; label -1: no detection."""


@dataclass(frozen=True)
class Limits:
    """How far an exported detector may be from the detector.

    Attributes:
        iou: A detection's counterpart, of the same class, has a larger IoU with it.
        score: Its score differs by less.
        share: So many of the detections have a counterpart. Of two boxes on one object that score
            alike, rounding decides which one suppresses the other.
    """

    iou: float
    score: float
    share: float


LIMITS: Mapping[str, Limits] = {
    "float32": Limits(0.999, 1e-3, 1.0),
    "float16": Limits(0.9, 0.05, 0.9),
    "int8": Limits(0.9, 0.1, 0.9),
}
"""Limits by the precision of a file."""


@dataclass(frozen=True)
class Comparison:
    """How much two detectors differ on some pictures.

    Attributes:
        above: Score above which detections were compared, both ways: `CHECKED_SCORE`, or less if no
            detection has it.
        ious: The IoU of each with the nearest one of the same class; 0 where there is none.
        differences: The difference of their scores.
    """

    above: float
    ious: tuple[float, ...]
    differences: tuple[float, ...]

    @property
    def detections(self) -> int:
        return len(self.ious)

    @property
    def least_iou(self) -> float:
        return min(self.ious, default=0.0)

    @property
    def score_difference(self) -> float:
        return max(self.differences, default=float("inf"))

    def agrees(self, limits: Limits = LIMITS["float32"]) -> bool:
        """Returns whether they are within some limits; not where nothing was compared."""
        pairs = zip(self.ious, self.differences, strict=True)
        same = sum(iou > limits.iou and difference < limits.score for iou, difference in pairs)
        return self.detections > 0 and same >= limits.share * self.detections

    def __str__(self) -> str:
        return (
            f"{self.detections} detections above {self.above:.2g}: IoU at least "
            f"{self.least_iou:.6f}, scores within {self.score_difference:.1e}"
        )


def compare_detections(expected: Sequence[Found], found: Sequence[Found]) -> Comparison:
    """Compares the detections of two detectors on the same pictures, both ways.

    Args:
        expected: What the detector found in each picture.
        found: What the exported one found in each.

    Returns:
        How much they differ.

    Raises:
        ValueError: The numbers of pictures differ, or a detection is not finite.
    """
    if len(expected) != len(found):
        raise ValueError(f"{len(expected)} pictures were expected, {len(found)} came back")
    for one in (*expected, *found):
        if not (np.isfinite(one["boxes"]).all() and np.isfinite(one["scores"]).all()):
            raise ValueError("a detection is not finite")
    best = max((float(np.max(one["scores"], initial=0.0)) for one in expected), default=0.0)
    above = CHECKED_SCORE if best > CHECKED_SCORE else best / 2
    ious: list[float] = []
    differences: list[float] = []
    for ours, theirs in zip(expected, found, strict=True):
        for these, others in ((ours, theirs), (theirs, ours)):
            for iou, difference in _nearest(these, others, above):
                ious.append(iou)
                differences.append(difference)
    return Comparison(above, tuple(ious), tuple(differences))


def _nearest(these: Found, others: Found, above: float) -> list[tuple[float, float]]:
    """Returns, for each detection above a score, IoU and score's distance of its counterpart."""
    result = []
    for box, score, label in zip(these["boxes"], these["scores"], these["labels"], strict=True):
        if label < 0 or score <= above:
            continue
        same = others["labels"] == label
        same_boxes = np.asarray(others["boxes"][same], "float64")
        ious = box_overlaps(np.asarray(box, "float64")[np.newaxis], same_boxes)[0]
        if not ious.size:
            result.append((0.0, float(score)))
            continue
        place = int(ious.argmax())
        difference = abs(float(others["scores"][same][place]) - float(score))
        result.append((float(ious[place]), difference))
    return result
