"""Sheets of what training sees, and of what a detector gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.evaluation.mistakes import (
    FALSE_POSITIVES,
    NEAR,
    Judgement,
    box_overlaps,
)
from nasnet_keras.detection.visualization.drawing import (
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Color,
    class_color,
    contact_sheet,
    draw_boxes,
    with_side,
)

_CONTEXT = 1.0  # On each side, as a multiple of the mistake's own size.
_LEAST_SIDE = 64


def batch_pictures(
    batch: dict[str, np.ndarray], class_names: Sequence[str], side: int = 400
) -> list[Image.Image]:
    """Draws the images of a batch with their boxes; what training ignores is dashed and grey.

    Args:
        batch: As `detection_batches` gives it.
        class_names: Names of the classes.
        side: The longer side of the pictures, in pixels.

    Returns:
        A picture for each image.
    """
    pictures = []
    for row, pixels in enumerate(np.asarray(batch["images"])):
        known = np.asarray(batch["labels"][row]) >= 0
        labels = np.asarray(batch["labels"][row])[known]
        ignored = np.asarray(batch["crowd"][row])[known]
        picture = with_side(pixels, side)
        factor = _factors(picture.size, pixels.shape[1::-1])
        names = [
            str(class_names[label]) + (" (ignored)" if out else "")
            for label, out in zip(labels, ignored, strict=True)
        ]
        colors = [GREY if o else class_color(n) for n, o in zip(labels, ignored, strict=True)]
        boxes = np.asarray(batch["boxes"][row])[known] * factor
        pictures.append(draw_boxes(picture, boxes, names, colors=colors, dashed=ignored.tolist()))
    return pictures


def training_sheet(
    batches: Sequence[dict[str, np.ndarray]],
    class_names: Sequence[str],
    columns: int = 4,
    cell: int = 400,
) -> Image.Image:
    """Draws all images of some batches, as training sees them.

    Args:
        batches: As `detection_batches` gives them.
        class_names: Names of the classes.
        columns: Images a row.
        cell: Side of an image on the sheet, in pixels.

    Returns:
        The sheet; each caption is the id, and the size inside the padding.
    """
    pictures, captions = [], []
    for batch in batches:
        pictures += batch_pictures(batch, class_names, cell)
        captions += [
            f"image {image_id}, {size[0]} x {size[1]}, {np.sum(labels >= 0)} boxes"
            for image_id, size, labels in zip(
                batch["image_ids"], batch["image_sizes"], batch["labels"], strict=True
            )
        ]
    return contact_sheet(pictures, captions, columns, cell, "What training sees")


def mistake_sheets(
    index: DetectionIndex,
    judgement: Judgement,
    per_sheet: int = 24,
    columns: int = 6,
    cell: int = 240,
) -> dict[str, dict[str, Image.Image]]:
    """Draws the false positives of each class, by decreasing score, and its misses.

    Each is shown with its surroundings: the wrong detection in red, the object it is about in
    green, a missed object in yellow, detections near it in blue.

    Args:
        index: The dataset.
        judgement: What `judge_detections` returned.
        per_sheet: Mistakes a sheet, at most.
        columns: Mistakes a row.
        cell: Side of each, in pixels.

    Returns:
        By class, `"false_positives"` and `"misses"`, if there are any.
    """
    sheets: dict[str, dict[str, Image.Image]] = {}
    for label, name in enumerate(index.class_names):
        wrong = [
            row
            for row, detection in enumerate(judgement.detections)
            if detection.label == label and detection.verdict in FALSE_POSITIVES
        ]
        wrong.sort(key=lambda row: -judgement.detections[row].score)
        missed = [row for row in judgement.missed if index.labels[row] == label]
        # Large ones first: they are the least excusable.
        missed.sort(key=lambda row: -index.areas[row])
        for kind, rows, draw in (
            ("false_positives", wrong, _false_positive),
            ("misses", missed, _miss),
        ):
            if not rows:
                continue
            shown = [draw(index, judgement, row, cell) for row in rows[:per_sheet]]
            pictures, captions = zip(*shown, strict=True)
            heading = f"{name}: {len(rows)} {kind.replace('_', ' ')}"
            heading += f", the first {per_sheet}" if len(rows) > per_sheet else ""
            sheet = contact_sheet(pictures, captions, columns, cell, heading)
            sheets.setdefault(name, {})[kind] = sheet
    return sheets


def _false_positive(
    index: DetectionIndex, judgement: Judgement, row: int, side: int
) -> tuple[Image.Image, str]:
    detection = judgement.detections[row]
    shown: list[tuple[Sequence[float], str, Color]] = []
    caption = f"{detection.verdict}, {detection.score:.2f}"
    around = [detection.box]
    if detection.row >= 0:
        name = index.class_names[index.labels[detection.row]]
        truth = tuple(index.boxes[detection.row].tolist())
        shown.append((truth, name, GREEN))
        around.append(truth)
        caption += f" ({name}, IoU {detection.iou:.2f})"
    shown.append(
        (detection.box, f"{index.class_names[detection.label]} {detection.score:.2f}", RED)
    )
    return _cutout(index, detection.image, around, shown, side), caption


def _miss(
    index: DetectionIndex, judgement: Judgement, row: int, side: int
) -> tuple[Image.Image, str]:
    image = int(np.searchsorted(index.first_box, row, "right")) - 1
    truth = tuple(index.boxes[row].tolist())
    shown: list[tuple[Sequence[float], str, Color]] = [
        (detection.box, f"{index.class_names[detection.label]} {detection.score:.2f}", BLUE)
        for detection in judgement.detections
        if detection.image == image and _near(detection.box, truth)
    ]
    shown.append((truth, index.class_names[index.labels[row]], YELLOW))
    top, left, bottom, right = truth
    size = f"{bottom - top:.0f} x {right - left:.0f} pixels"
    caption = f"image {index.image_ids[image]}, {size}"
    return _cutout(index, image, [truth], shown, side), caption


def _near(box: Sequence[float], other: Sequence[float]) -> bool:
    """Returns whether the IoU is such that a detection may be about an object."""
    return bool(box_overlaps(np.array([box]), np.array([other])) >= NEAR)


def _cutout(
    index: DetectionIndex,
    image: int,
    around: Sequence[Sequence[float]],
    shown: Sequence[tuple[Sequence[float], str, Color]],
    side: int,
) -> Image.Image:
    """Draws the part of an image that holds some boxes, with its surroundings."""
    picture = Image.fromarray(index.pixels(image))
    # Of detections of other programs that lie outside, the nearest edge is shown.
    limits = np.tile([picture.height, picture.width], 2)
    edges = np.clip(np.array(around, float), 0, limits)
    top, left = edges[:, 0].min(), edges[:, 1].min()
    bottom, right = edges[:, 2].max(), edges[:, 3].max()
    reach = max(max(bottom - top, right - left) * (1 + 2 * _CONTEXT), _LEAST_SIDE) / 2
    middle_y, middle_x = (top + bottom) / 2, (left + right) / 2
    window = (
        int(max(middle_x - reach, 0)),
        int(max(middle_y - reach, 0)),
        int(min(middle_x + reach + 1, picture.width)),
        int(min(middle_y + reach + 1, picture.height)),
    )
    part = picture.crop(window)
    enlarged = with_side(part, side)
    found, names, colors = zip(*shown, strict=True)
    boxes = np.clip(np.array(found, float), 0, limits) - np.tile(window[1::-1], 2)
    return draw_boxes(enlarged, boxes * _factors(enlarged.size, part.size), names, colors=colors)


def _factors(size: tuple[int, ...], before: tuple[int, ...]) -> np.ndarray:
    """Returns what multiplies boxes when a picture of width and height `before` is resized."""
    return np.array([size[1] / before[1], size[0] / before[0]] * 2)
