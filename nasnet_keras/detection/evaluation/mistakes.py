"""Which detections are right, which are wrong and how, and which objects were missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.detection.data.detection_index import DetectionIndex

CORRECT, IGNORED = "correct", "ignored"
DUPLICATE, CONFUSED, MISPLACED, BACKGROUND = "duplicate", "confused", "misplaced", "background"
FALSE_POSITIVES = (DUPLICATE, CONFUSED, MISPLACED, BACKGROUND)
NEAR = 0.1  # Least IoU of a wrong detection with the object it is about.


@dataclass(frozen=True)
class JudgedDetection:
    """A detection and whether it is right.

    Attributes:
        image: Place of the image in the index.
        label: Class detected.
        score: The detector's score.
        box: Top, left, bottom, right in pixels of the image as stored.
        verdict: `"correct"`; `"ignored"`: it lies on a crowd; `"duplicate"`: its object had been
            found with a higher score; `"confused"`: the box fits an object of another class;
            `"misplaced"`: an object of the class is near, the IoU too low; `"background"`: none of
            these.
        row: Row in the index of the object the verdict is about; -1 for background.
        iou: Its IoU with that object; with a crowd, the fraction of the detection that lies on it.
    """

    image: int
    label: int
    score: float
    box: tuple[float, float, float, float]
    verdict: str
    row: int
    iou: float


@dataclass(frozen=True)
class Judgement:
    """All detections, and the objects that none of them found.

    Attributes:
        detections: The detections, in each image the most confident first.
        missed: Rows in the index of the objects missed, crowds aside.
    """

    detections: tuple[JudgedDetection, ...]
    missed: tuple[int, ...]

    def counts(self, index: DetectionIndex) -> dict[str, dict[str, int]]:
        """Returns, for each class, how many detections got each verdict and how many are missed."""
        verdicts = (CORRECT, *FALSE_POSITIVES, IGNORED, "missed")
        table: dict[str, dict[str, int]] = {
            name: dict.fromkeys(verdicts, 0) for name in index.class_names
        }
        for detection in self.detections:
            table[index.class_names[detection.label]][detection.verdict] += 1
        for row in self.missed:
            table[index.class_names[index.labels[row]]]["missed"] += 1
        return table


def judge_detections(
    index: DetectionIndex,
    results: Sequence[dict[str, Any]],
    min_score: float = 0.3,
    min_iou: float = 0.5,
) -> Judgement:
    """Matches detections to objects as COCO does at one IoU, and says what is wrong with the rest.

    In each image and class, by decreasing score, each detection is matched with the free object of
    the highest IoU.

    Args:
        index: The true boxes.
        results: In COCO's format; see `check_results`.
        min_score: Detections below it are left out.
        min_iou: Least IoU of a match.

    Returns:
        The judgement.
    """
    labels = {int(category): label for label, category in enumerate(index.category_ids)}
    places = {int(image_id): place for place, image_id in enumerate(index.image_ids)}
    by_image: dict[int, list[dict[str, Any]]] = {}
    for result in results:
        if result["score"] >= min_score:
            by_image.setdefault(places[result["image_id"]], []).append(result)
    judged: list[JudgedDetection] = []
    missed: list[int] = []
    for image in range(len(index)):
        own = sorted(by_image.get(image, []), key=lambda result: -result["score"])
        rows = np.arange(*index.first_box[image : image + 2])
        boxes = _corners([result["bbox"] for result in own])
        overlaps = box_overlaps(boxes, _corners(index.source_boxes[rows]), index.crowd[rows])
        found: set[int] = set()
        for result, box, ious in zip(own, boxes, overlaps, strict=True):
            label = labels[result["category_id"]]
            verdict, place = _verdict(label, ious, index, rows, found, min_iou)
            top, left, bottom, right = box.tolist()
            if verdict == CORRECT:
                found.add(place)
            judged.append(
                JudgedDetection(
                    image=image,
                    label=label,
                    score=float(result["score"]),
                    box=(top, left, bottom, right),
                    verdict=verdict,
                    row=int(rows[place]) if place >= 0 else -1,
                    iou=float(ious[place]) if place >= 0 else 0.0,
                )
            )
        missed += [
            int(row)
            for place, row in enumerate(rows)
            if not index.crowd[row] and place not in found
        ]
    return Judgement(tuple(judged), tuple(missed))


def _verdict(
    label: int,
    ious: np.ndarray,
    index: DetectionIndex,
    rows: np.ndarray,
    found: set[int],
    min_iou: float,
) -> tuple[str, int]:
    """Returns the verdict, and the place among the rows of what it is about."""
    crowd, same = index.crowd[rows], index.labels[rows] == label
    free = np.array([place not in found for place in range(len(rows))], bool)
    for verdict, candidates, least in (
        (CORRECT, same & ~crowd & free, min_iou),
        (IGNORED, same & crowd, min_iou),
        (DUPLICATE, same & ~crowd, min_iou),
        (CONFUSED, ~same & ~crowd, min_iou),
        (MISPLACED, same & ~crowd, NEAR),
    ):
        values = np.where(candidates, ious, -1.0)
        if values.size and values.max() >= least:
            return verdict, int(values.argmax())
    return BACKGROUND, -1


def _corners(boxes: Any) -> np.ndarray:
    """Turns boxes as left, top, width, height into top, left, bottom, right, `(n, 4)`."""
    rows = np.asarray(boxes, float).reshape(-1, 4).tolist()
    corners = [(top, left, top + height, left + width) for left, top, width, height in rows]
    return np.array(corners).reshape(-1, 4)


def box_overlaps(boxes: np.ndarray, others: np.ndarray, is_crowd: Any = False) -> np.ndarray:
    """Returns the IoU of every pair.

    Args:
        boxes: `(N, 4)`: top, left, bottom, right.
        others: `(M, 4)`.
        is_crowd: `(M,)`, bool: of these, the fraction of the box that lies on them instead.

    Returns:
        `(N, M)`.
    """
    top_left = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
    bottom_right = np.minimum(boxes[:, np.newaxis, 2:], others[:, 2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(-1)
    own = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)[:, np.newaxis]
    theirs = (others[:, 2:] - others[:, :2]).prod(1)
    union = np.where(is_crowd, own, own + theirs - common)
    return common / np.maximum(union, 1e-12)
