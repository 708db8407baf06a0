"""One predictor for every network and every file that it may be in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasnet_keras.data.numpy_preprocessing import preprocess_picture
from nasnet_keras.detection.inference.pictures import (
    Picture,
    as_detections,
    fitted_image,
    read_pixels,
)
from nasnet_keras.export.description import FileDescription
from nasnet_keras.serving.networks import Network, load_network

_CLASSIFIED_AT_ONCE = 16
"""More images of a request are classified in groups, so that it takes no more memory."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is in a picture, by decreasing score.

    Attributes:
        size: Height and width of the picture, in pixels.
        labels: `(n,)`, int64: the classes, from 0.
        names: Their names.
        scores: `(n,)`, float64, in [0, 1].
        boxes: Of a detector, `(n, 4)`, float64: top, left, bottom, right in pixels of the picture.
    """

    size: tuple[int, int]
    labels: np.ndarray
    names: tuple[str, ...]
    scores: np.ndarray
    boxes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)


class Predictor:
    """Says what is in pictures, whatever file the network is in.

    It may be called from several threads.

    Args:
        network: The network.
        top_k: Classes named of each picture, at most as many as there are.
        min_score: Detections below it are left out.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(self, network: Network, top_k: int = 5, min_score: float = 0.3) -> None:
        if top_k < 1:
            raise ValueError(f"top_k is at least 1, got {top_k}")
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score is in [0, 1], got {min_score}")
        self.network = network
        self.top_k = min(top_k, len(network.description.class_names))
        self.min_score = min_score

    @property
    def description(self) -> FileDescription:
        """What the network is, and how pictures reach it."""
        return self.network.description

    @property
    def is_detector(self) -> bool:
        """Whether it finds boxes."""
        return self.description.kind == "detector"

    def predict(self, picture: Picture) -> Prediction:
        """Says what is in a picture.

        Args:
            picture: A file or an encoded image, turned upright where the network was trained so; a
                Pillow image, as it is; or pixels `(height, width, 3)` in [0, 255].

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not an image, the array has another shape, or the network's answer is
                not finite.
        """
        return self.predict_pixels([self.read(picture)])[0]

    def read(self, picture: Picture) -> np.ndarray:
        """Returns the pixels of a picture, see `predict`, `(height, width, 3)`."""
        return read_pixels(picture, self.description.exif_orientation)

    def predict_pixels(self, pictures: Sequence[np.ndarray]) -> list[Prediction]:
        """Says what is in each of several pictures, `(height, width, 3)` in [0, 255].

        Raises:
            ValueError: The network's answer is not finite.
        """
        if self.is_detector:
            return [self._detect(pixels) for pixels in pictures]
        images = [self.prepare(pixels) for pixels in pictures]
        return self.best_classes(self.probabilities(images), [p.shape[:2] for p in pictures])

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """Returns a picture as a classifier takes it."""
        described = self.description
        if described.preprocessing_inside:
            return np.asarray(pixels, "uint8")
        return preprocess_picture(pixels, described.preprocessing, described.image_size[0])

    def probabilities(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Returns a classifier's probabilities, `(images, classes)`, of what `prepare` returned.

        Raises:
            ValueError: They are not finite.
        """
        described = self.description
        # Images of their own sizes go alone.
        at_once = 1 if described.preprocessing_inside else described.batch or _CLASSIFIED_AT_ONCE
        found = []
        for start in range(0, len(images), at_once):
            group = np.stack(images[start : start + at_once])
            missing = (described.batch or len(group)) - len(group)
            padded = np.pad(group, [(0, missing)] + [(0, 0)] * 3)
            found.append(self.network.run(padded)["probabilities"][: len(group)])
        result = np.concatenate(found)
        _check_finite(result)
        return result

    def best_classes(
        self, probabilities: np.ndarray, sizes: Sequence[tuple[int, ...]]
    ) -> list[Prediction]:
        """Names the best classes of each picture of some sizes, height and width."""
        labels = np.argsort(-probabilities, axis=1, kind="stable")[:, : self.top_k]
        scores = np.take_along_axis(probabilities, labels, axis=1).astype("float64")
        names = self.description.class_names
        return [
            Prediction((size[0], size[1]), best, tuple(names[label] for label in best), score)
            for size, best, score in zip(sizes, labels, scores, strict=True)
        ]

    def detections(self, images: np.ndarray, image_sizes: np.ndarray) -> dict[str, np.ndarray]:
        """Returns a detector's outputs for images as it takes them, see `select_detections`.

        Args:
            images: `(batch, height, width, 3)`, float32 in [0, 255].
            image_sizes: `(batch, 2)`, float32: height and width without padding.

        Raises:
            ValueError: They are not finite.
        """
        at_once = self.description.batch or 1
        groups = [
            self.network.run(images[start : start + at_once], image_sizes[start : start + at_once])
            for start in range(0, len(images), at_once)
        ]
        found = {name: np.concatenate([group[name] for group in groups]) for name in groups[0]}
        _check_finite(found["boxes"])
        _check_finite(found["scores"])
        return found

    def _detect(self, pixels: np.ndarray) -> Prediction:
        described = self.description
        keep_aspect = described.preprocessing == "pad"
        image, size, scale = fitted_image(pixels, described.image_size, keep_aspect)
        found = self.detections(image[np.newaxis], np.asarray([size], "float32"))
        first = {name: values[0] for name, values in found.items()}
        there = as_detections(described, first, pixels.shape[:2], scale, self.min_score)
        return Prediction(there.size, there.labels, there.names, there.scores, there.boxes)


def load_predictor(
    path: str | os.PathLike[str],
    top_k: int = 5,
    min_score: float = 0.3,
    image_size: int | None = None,
    threads: int | None = None,
    config: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Predictor:
    """Loads a classifier or a detector to ask it about pictures.

    Args:
        path: A run directory, a `.keras` file, a published network, or an exported file: `.onnx`,
            OpenVINO's `.xml`, `.tflite`, or a SavedModel, see `load_network`.
        top_k: Classes that a classifier names of each picture.
        min_score: A detector's detections below it are left out.
        image_size: Side of the images, in pixels, for a classifier in a run directory or `.keras`
            file that takes any size.
        threads: Of an exported file's runtime, but TensorFlow's, for one call. Default: one for
            each core.
        config: Of a detector of the TF Object Detection API, see `load_trained_detector`.
        class_names: Of a detector in no exported file: replace the names of its classes.

    Returns:
        The predictor.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated, no network, or has no description; or a library is missing.
    """
    network = load_network(path, image_size, threads, config, class_names)
    return Predictor(network, top_k, min_score)


def _check_finite(values: np.ndarray) -> None:
    """Refuses an answer that is none: numbers overflowed, or the weights are no numbers."""
    if not np.isfinite(values).all():
        raise ValueError("the network answers with numbers that are not finite")
