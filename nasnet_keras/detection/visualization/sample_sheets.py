"""Sheets of the anchors and proposals that a detector learns from."""

from __future__ import annotations

from collections.abc import Sequence

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
    Color,
    contact_sheet,
    draw_boxes,
    with_side,
)

_SHOWN_NEGATIVES = 12


def sample_sheets(
    model: FasterRCNN,
    batches: Sequence[dict[str, np.ndarray]],
    class_names: Sequence[str],
    columns: int = 4,
    cell: int = 400,
) -> dict[str, Image.Image]:
    """Draws the anchors and proposals that training would sample in some batches.

    Objects are yellow, positive anchors or proposals green, the first few negative ones blue and
    dashed, regions that training ignores grey.

    Args:
        model: The detector; its weights decide the proposals.
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
        for row, image_id in enumerate(batch["image_ids"]):
            for kind in pictures:
                boxes = samples[kind][row]
                matches = samples[f"{kind[:-1]}_matches"][row]
                pictures[kind].append(_drawn(batch, row, boxes, matches, class_names, cell))
                captions[kind].append(
                    f"image {image_id}: {int((matches >= 0).sum())} positive, "
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
    pixels = batch[IMAGES][row]
    picture = with_side(pixels, cell)
    factor = cell / max(pixels.shape[:2])
    # All negative ones would hide the picture.
    negative = boxes[matches == NEGATIVE][:_SHOWN_NEGATIVES]
    shown: list[tuple[np.ndarray, str, Color, bool]] = [(box, "", BLUE, True) for box in negative]
    shown += [(box, "", GREEN, False) for box in boxes[matches >= 0]]
    labels = batch[LABELS][row]
    for box, label, crowd in zip(batch[BOXES][row], labels, batch[CROWD][row], strict=True):
        if label >= 0:
            name = str(class_names[label])
            shown.append((box, name, GREY if crowd else YELLOW, bool(crowd)))
    found, names, colors, dashed = zip(*shown, strict=True) if shown else ((),) * 4
    found = np.array(found).reshape(-1, 4) * factor
    return draw_boxes(picture, found, names, colors=colors, dashed=dashed)
