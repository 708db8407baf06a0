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
NEAR = 0.1  # IoU from which on a wrong detection is about an object at all.


@dataclass(frozen=True)
class JudgedDetection:
    """A detection and what it is worth.

    Attributes:
        image: Place of the image in the index.
        label: Class detected.
        score: How sure the detector was.
        box: Top, left, bottom, right in pixels of the image as stored.
        verdict: `"correct"`; `"ignored"`: it lies on a crowd; `"duplicate"`: its object had been
            found with a higher score; `"confused"`: the box fits an object of another class;
            `"misplaced"`: an object of the class is near, the IoU too low; `"background"`: none of
            these.
        row: Row in the index of the object the verdict is about; -1 for background.
        iou: Its IoU with that object; with a crowd, the share of the detection that lies on it.
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

    In each image and class, detections choose in the order of their scores, each the free object
    with the highest IoU.

    Args:
        index: The true boxes.
        results: In COCO's format; see `check_results`.
        min_score: Detections below it do not count.
        min_iou: Least IoU of a match.

    Returns:
        The judgement.
    """
    labels = {int(number): label for label, number in enumerate(index.category_ids)}
    places = {int(number): place for place, number in enumerate(index.image_ids)}
    by_image: dict[int, list[dict[str, Any]]] = {}
    for result in results:
        if result["score"] >= min_score:
            by_image.setdefault(places[result["image_id"]], []).append(result)
    judged: list[JudgedDetection] = []
    missed: list[int] = []
    for image in range(len(index)):
        own = sorted(by_image.get(image, []), key=lambda result: -result["score"])
        rows = np.arange(*index.first_box[image : image + 2])
        boxes = np.array([_corners(result["bbox"]) for result in own]).reshape(-1, 4)
        found: set[int] = set()
        for result, box, ious in zip(own, boxes, _overlaps(boxes, index, rows), strict=True):
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


def _corners(box: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return top, left, top + height, left + width


def _overlaps(boxes: np.ndarray, index: DetectionIndex, rows: np.ndarray) -> np.ndarray:
    """Returns `(boxes, rows)`: the IoU, and for crowds the share of the box that lies on them."""
    truth = np.array([_corners(box) for box in index.source_boxes[rows]]).reshape(-1, 4)
    top_left = np.maximum(boxes[:, np.newaxis, :2], truth[:, :2])
    bottom_right = np.minimum(boxes[:, np.newaxis, 2:], truth[:, 2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(-1)
    own = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)[:, np.newaxis]
    theirs = (truth[:, 2:] - truth[:, :2]).prod(1)
    whole = np.where(index.crowd[rows], own, own + theirs - common)
    return common / np.maximum(whole, 1e-12)
