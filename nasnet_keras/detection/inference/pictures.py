"""Pictures as they reach a detector, and what it found in them; without Keras."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from nasnet_keras.data.image_reader import decode_image, rgb_pixels
from nasnet_keras.data.numpy_preprocessing import resize_bilinear
from nasnet_keras.detection.visualization.drawing import class_color, draw_boxes
from nasnet_keras.files.input_files import read_file

PADDING = 0.0
"""Value of the pixels below and beside a picture that does not fill the detector's image."""

Picture = np.ndarray | Image.Image | bytes | str | os.PathLike[str]


class Classes(Protocol):
    """Names of a detector's classes, in the order of its labels, and their ids in the dataset."""

    @property
    def class_names(self) -> tuple[str, ...]: ...

    @property
    def category_ids(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, eq=False)
class PictureDetections:
    """What was found in one picture, by decreasing score.

    Attributes:
        size: Height and width of the picture, in pixels.
        boxes: `(n, 4)`, float64: top, left, bottom, right in pixels of the picture.
        scores: `(n,)`, float64, in [0, 1].
        labels: `(n,)`, int64, from 0.
        names: The name of each one's class.
        category_ids: The id of each one's class in the dataset's own files.
    """

    size: tuple[int, int]
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    category_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    def to_list(self) -> list[dict[str, Any]]:
        """Returns a dictionary for each detection, as JSON can hold it."""
        return [
            {"name": name, "category_id": category_id, "score": score, "box": box}
            for name, category_id, score, box in zip(
                self.names,
                self.category_ids,
                self.scores.tolist(),
                self.boxes.tolist(),
                strict=True,
            )
        ]

    def draw(self, pixels: np.ndarray | Image.Image) -> Image.Image:
        """Draws the boxes, names and scores on the picture; a class always has one colour."""
        colors = [class_color(label) for label in self.labels.tolist()]
        return draw_boxes(pixels, self.boxes, self.names, self.scores, colors)


def as_detections(
    classes: Classes,
    found: dict[str, np.ndarray],
    picture_size: tuple[int, ...],
    scale: tuple[float, float],
    min_score: float,
) -> PictureDetections:
    """Maps a detector's outputs for one image to its picture.

    Args:
        classes: The detector's classes, see `TrainedDetector`.
        found: `boxes`, `scores` and `labels` of the image, see `select_detections`.
        picture_size: Height and width of the picture.
        scale: What `fitted_image` multiplied the picture's height and width by.
        min_score: Detections below it are left out.

    Returns:
        The detections, cut off where the picture ends.
    """
    kept = (found["labels"] >= 0) & (found["scores"] >= min_score)
    boxes = found["boxes"][kept].astype("float64") / np.tile(np.asarray(scale, "float64"), 2)
    height, width = int(picture_size[0]), int(picture_size[1])
    labels = found["labels"][kept].astype("int64")
    return PictureDetections(
        size=(height, width),
        boxes=np.clip(boxes, 0, np.tile(np.asarray([height, width], "float64"), 2)),
        scores=found["scores"][kept].astype("float64"),
        labels=labels,
        names=tuple(classes.class_names[label] for label in labels),
        category_ids=tuple(int(classes.category_ids[label]) for label in labels),
    )


def read_pixels(picture: Picture, upright: bool = True) -> np.ndarray:
    """Returns the pixels of a picture, see `Predictor.predict`.

    Args:
        picture: The picture.
        upright: Turn a file or an encoded image as its EXIF orientation says.
    """
    if isinstance(picture, Image.Image):
        return rgb_pixels(picture)
    if isinstance(picture, bytes):
        return decode_image(picture, upright)
    if isinstance(picture, str | os.PathLike):
        return decode_image(read_file(picture), upright)
    pixels = np.asarray(picture)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"a picture has shape (height, width, 3), got {pixels.shape}")
    return pixels


def fitted_image(
    pixels: np.ndarray, canvas: tuple[int, int], keep_aspect: bool
) -> tuple[np.ndarray, tuple[int, int], tuple[float, float]]:
    """Resizes a picture to a detector's image, bilinear and without antialiasing, as in training.

    Args:
        pixels: `(height, width, 3)`, in [0, 255].
        canvas: Height and width of the detector's image.
        keep_aspect: Resize both sides by the same factor and pad below and on the right.

    Returns:
        The image, `(*canvas, 3)`, float32; height and width of the part that the picture fills; and
        what its height and width were multiplied by.
    """
    height, width = pixels.shape[:2]
    rows, columns = canvas
    if keep_aspect:
        # In float32 and rounded to even, as TensorFlow does it in training.
        sides = np.asarray([height, width], "float32")
        factor = np.min(np.asarray(canvas, "float32") / sides)
        rows, columns = (max(int(side), 1) for side in np.round(sides * factor))
    resized = resize_bilinear(pixels, rows, columns)
    missing = [(0, canvas[0] - rows), (0, canvas[1] - columns), (0, 0)]
    image = np.pad(resized, missing, constant_values=PADDING)
    return image, (rows, columns), (rows / height, columns / width)
