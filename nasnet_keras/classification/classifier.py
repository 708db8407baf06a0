"""One way to ask any saved network what is in a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nasnet_keras.classification.trained_model import TrainedModel, load_trained_model
from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.served_images import refusal
from nasnet_keras.models.inference import inference_model
from nasnet_keras.out_of_memory import memory_for

Answer = list[tuple[str, float]]


class Classifier(Protocol):
    """What `load_classifier` returns."""

    def classify(self, image_bytes: bytes) -> Answer:
        """Returns the likeliest classes of an encoded image, best first, with their scores.

        Raises:
            ValueError: The bytes are not a complete image, or a score is not finite.
        """
        ...


def load_classifier(
    path: str | os.PathLike[str],
    top_k: int = 5,
    image_size: int | None = None,
    preprocessing_name: str | None = None,
    exif_orientation: bool | None = None,
) -> Classifier:
    """Loads a run directory, a `.keras` file, or a directory of `export_saved_model`.

    Args:
        path: What to load.
        top_k: Number of classes in an answer. A SavedModel gives as many as it was exported with,
            or fewer.
        image_size: Side of the images, in pixels, for a network that takes any size.
        preprocessing_name: Replaces the preprocessing that the run's `config.json` names.
        exif_orientation: Whether pictures are turned upright, as their EXIF orientation says.
            Default: as in training.

    Returns:
        The classifier.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated, or no network, or a SavedModel is given what is fixed in it.
    """
    if top_k < 1:
        raise ValueError(f"top_k is at least 1, got {top_k}")
    if not (Path(path) / "saved_model.pb").is_file():
        trained = load_trained_model(
            path, image_size, preprocessing_name, exif_orientation=exif_orientation
        )
        return _KerasClassifier(trained, top_k)
    if image_size or preprocessing_name or exif_orientation is not None:
        raise ValueError(
            f"{path} is a SavedModel: its image size, preprocessing and treatment of EXIF "
            "orientations are fixed"
        )
    return _SavedModelClassifier(Path(path), top_k)


class _KerasClassifier:
    def __init__(self, trained: TrainedModel, top_k: int) -> None:
        self._trained = trained
        self._model = inference_model(trained.model)
        self._top_k = top_k

    def classify(self, image_bytes: bytes) -> Answer:
        trained = self._trained
        pixels = decode_image(image_bytes, trained.exif_orientation)[np.newaxis]
        images = preprocess(pixels, trained.preprocessing_name, trained.image_size)
        with memory_for(image_size=trained.image_size):
            scores = np.asarray(self._model(images, training=False)["probabilities"])[0]
        _check_scores(scores)
        best = np.argsort(-scores, kind="stable")[: self._top_k]
        return [(trained.class_names[i], float(scores[i])) for i in best]


class _SavedModelClassifier:
    def __init__(self, path: Path, top_k: int) -> None:
        import tensorflow as tf

        self._tf = tf
        self._top_k = top_k
        damage = (tf.errors.OpError, OSError, ValueError, TypeError, LookupError, RuntimeError)
        try:
            self._loaded: Any = tf.saved_model.load(str(path))
        except (*damage, AttributeError) as error:
            raise ValueError(f"{path} is not a complete SavedModel: {error}") from None
        if "serve_bytes" not in self._loaded.signatures:
            raise ValueError(f"{path} has no signature 'serve_bytes': export it again")
        self._signature = self._loaded.signatures["serve_bytes"]

    def classify(self, image_bytes: bytes) -> Answer:
        # Here too Pillow looks first, which says of a damaged file what is wrong; what the graph
        # does not take is said here, as older ones decode it to other pixels.
        decode_image(image_bytes)
        if refused := refusal(image_bytes).numpy().decode():
            raise ValueError(refused)
        try:
            answer = self._signature(image_bytes=self._tf.constant([image_bytes]))
        except self._tf.errors.InvalidArgumentError as error:
            raise ValueError(f"not an image that TensorFlow decodes: {error.message}") from None
        # Older ones have no status.
        if "status" in answer and (status := answer["status"].numpy()[0].decode()):
            raise ValueError(status)
        names = [name.decode() for name in answer["names"].numpy()[0]]
        scores = answer["scores"].numpy()[0]
        _check_scores(scores)
        return list(zip(names, scores.tolist(), strict=True))[: self._top_k]


def _check_scores(scores: np.ndarray) -> None:
    """Refuses an answer that is none: numbers overflowed, or the weights are no numbers."""
    if not np.isfinite(scores).all():
        raise ValueError("the network answers with numbers that are not finite")
