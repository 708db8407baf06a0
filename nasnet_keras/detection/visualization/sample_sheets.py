"""Sheets of the anchors and proposals that a detector learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from nasnet_keras.detection.modeling.batch import BOXES, CROWD, IMAGES, LABELS
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.modeling.matcher import NEGATIVE
from nasnet_keras.detection.visualization.drawing import (
    BLUE,
    GREEN,
    GREY,
    YELLOW,
    contact_sheet,
    draw_boxes,
)

_SHOWN_NEGATIVES = 12


def sample_sheets(
    model: FasterRCNN,
    batches: Sequence[dict[str, np.ndarray]],
    class_names: Sequence[str],
    columns: int = 4,
    cell: int = 400,
) -> dict[str, Image.Image]:
    """Draws what the two stages would learn from in some batches.

    Objects are yellow, anchors or proposals that are to find one green, and of those that are to be
    background the first few, thin and blue. Regions that training ignores are grey.

    Args:
        model: The detector; its weights decide on the proposals.
        batches: As `detection_batches` gives them.
        class_names: Names of the classes.
        columns: Images a row.
        cell: Side of an image on the sheet, in pixels.

    Returns:
        The sheets `"anchors"` and `"proposals"`; captions count the positive and negative ones.
    """
    pictures: dict[str, list[Image.Image]] = {"anchors": [], "proposals": []}
    captions: dict[str, list[str]] = {"anchors": [], "proposals": []}
    for batch in batches:
        samples = {
            name: ops.convert_to_numpy(values)
            for name, values in model.training_samples(batch).items()
        }
        for row, number in enumerate(batch["image_ids"]):
            for kind in pictures:
                boxes = samples[kind][row]
                matches = samples[f"{kind[:-1]}_matches"][row]
                pictures[kind].append(_drawn(batch, row, boxes, matches, class_names, cell))
                captions[kind].append(
                    f"image {number}: {int((matches >= 0).sum())} positive, "
                    f"{int((matches == NEGATIVE).sum())} negative"
                )
    titles = {"anchors": "Anchors sampled", "proposals": "Proposals sampled"}
    return {
        kind: contact_sheet(pictures[kind], captions[kind], columns, cell, titles[kind])
        for kind in pictures
    }


def _drawn(
    batch: dict[str, np.ndarray],
    row: int,
    boxes: np.ndarray,
    matches: np.ndarray,
    class_names: Sequence[str],
    cell: int,
) -> Image.Image:
    pixels = np.clip(np.round(batch[IMAGES][row]), 0, 255).astype("uint8")
    factor = cell / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    picture = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    shown: list[tuple[np.ndarray, str, Any, bool]] = []
    # A draw of negative ones: all of them would hide the picture.
    for box in boxes[matches == NEGATIVE][:_SHOWN_NEGATIVES]:
        shown.append((box, "", BLUE, True))
    shown += [(box, "", GREEN, False) for box in boxes[matches >= 0]]
    labels = batch[LABELS][row]
    for box, label, crowd in zip(batch[BOXES][row], labels, batch[CROWD][row], strict=True):
        if label >= 0:
            name = str(class_names[label])
            shown.append((box, name, GREY if crowd else YELLOW, bool(crowd)))
    return draw_boxes(
        picture,
        np.array([box for box, _, _, _ in shown]).reshape(-1, 4) * factor,
        [name for _, name, _, _ in shown],
        colors=[color for _, _, color, _ in shown],
        dashed=[dashed for _, _, _, dashed in shown],
    )
