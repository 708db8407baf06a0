"""A classifier as SavedModel, ONNX, OpenVINO and LiteRT, each compared before it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.export.classifier_check import (
    LIMITS,
    OUTPUTS,
    Answer,
    ClassifierComparison,
    check_comparable,
    compare_answers,
)
from nasnet_keras.export.classifier_description import describe_classifier
from nasnet_keras.export.classifier_writers import CLASSIFIER_FORMATS, ClassifierSource
from nasnet_keras.export.description import FileDescription
from nasnet_keras.export.float32_network import float32_network
from nasnet_keras.export.output_files import check_formats, check_output, complete_files
from nasnet_keras.export.quantization import QuantizationPictures, Quantized, check_quantization
from nasnet_keras.export.runtimes import open_runtime
from nasnet_keras.export.signatures import check_backend
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.files.scratch import scratch
from nasnet_keras.models.inference import inference_model
from nasnet_keras.out_of_memory import memory_for

_BATCH = 4


@dataclass(frozen=True, eq=False)
class ExportedClassifier:
    """What is known of a file that was written.

    Attributes:
        comparison: How much its answers differ from the network's.
        quantized: Of int8, its accuracy and what stayed in float.
    """

    comparison: ClassifierComparison
    quantized: Quantized | None = None

    def __str__(self) -> str:
        return f"{self.comparison}" + (f"; {self.quantized}" if self.quantized else "")


@scratch()
def export_classifier(
    trained: TrainedModel,
    output_dir: str | os.PathLike[str],
    formats: Sequence[str],
    pictures: Sequence[np.ndarray],
    precision: str = "float32",
    preprocessing_inside: bool = False,
    top_k: int = 5,
    overwrite: bool = False,
    known: Mapping[str, Any] | None = None,
    quantization: QuantizationPictures | None = None,
    max_accuracy_loss: float = 1.0,
    full_int8: bool = False,
) -> dict[str, ExportedClassifier]:
    """Writes a classifier in formats that other programs load.

    All take `images`, float32 `(batch, size, size, 3)`, preprocessed
    (`nasnet_keras.data.preprocessing`), and answer with `logits` and `probabilities`, float32
    `(batch, classes)`. In each is its `FileDescription`.

    - `saved_model`: the directory `saved_model`, see `export_saved_model`.
    - `onnx`: `model.onnx`.
    - `openvino`: `model.xml` and `model.bin`.
    - `litert`: `model.tflite`, with LiteRT's built-in operations only.

    Args:
        trained: The classifier. One that was trained in mixed precision is written in float32.
        output_dir: Where to write.
        formats: Names from `CLASSIFIER_FORMATS`.
        pictures: Pictures to compare on, `(height, width, 3)`, uint8, as many as wanted.
        precision: `"float32"`, `"float16"`, `"bfloat16"` or `"int8"`.
        preprocessing_inside: Whether the files take `images` of any size, uint8 `(batch, height,
            width, 3)`, and resize and scale them as evaluation does.
        top_k: How many classes the SavedModel's `serve_bytes` returns.
        overwrite: Whether to replace files that are there.
        known: More for their descriptions, see `known_accuracy`.
        quantization: What int8 is calibrated and scored on, see `quantization_pictures`.
        max_accuracy_loss: How many points of a hundred of top-1 accuracy int8 may lose.
        full_int8: Whether LiteRT's activations have 8 bits too, for accelerators; on a processor
            that is slower.

    Returns:
        By format, how much its answers differ from the network's, and int8's accuracy.

    Raises:
        OSError: The directory cannot be written.
        ValueError: A format or precision is unknown or needs a library that is missing, files would
            be replaced, another process is writing there, the network's answers hide differences
            (see `check_comparable`), or the file's differ; then it is not written.
    """
    target = check_export(output_dir, formats, precision, overwrite, preprocessing_inside)
    if precision == "int8" and quantization is None:
        raise ValueError("int8 needs pictures to calibrate and to score on: give quantization")
    if len(pictures) == 0:
        raise ValueError("there is no picture to compare on")
    if top_k < 1:
        raise ValueError(f"top_k is at least 1, got {top_k}")
    trained = replace(trained, model=float32_network(trained.model))
    source = ClassifierSource(
        *(trained, precision, preprocessing_inside, top_k),
        *(quantization, max_accuracy_loss, full_int8),
    )
    images = _prepared(trained, pictures)
    expected = _network_answer(trained, images)
    check_comparable(expected)
    description = describe_classifier(
        trained,
        precision=precision,
        preprocessing_inside=preprocessing_inside,
        **(known or {}),
    )
    given = [pixels[np.newaxis] for pixels in pictures] if preprocessing_inside else images
    result = {}
    with locked(target):
        for name in formats:
            made = CLASSIFIER_FORMATS[name]
            with complete_files(target, made.files) as path:
                model, quantized = made.make(source), None
                if isinstance(model, Quantized):
                    model, quantized = model.model, model
                made.write(source, model, _described(description, quantized, quantization), path)
                loaded = open_runtime(name, path, precision)
                found = _answers(lambda batch, loaded=loaded: loaded(images=batch), given)
                comparison = compare_answers(expected, found)
                if not comparison.agrees(LIMITS[precision]):
                    raise ValueError(
                        f"{name} in {precision} differs from the network ({comparison}); "
                        f"{target / made.files[0]} was not written"
                    )
                result[name] = ExportedClassifier(comparison, quantized)
    return result


def check_export(
    output_dir: str | os.PathLike[str],
    formats: Sequence[str],
    precision: str,
    overwrite: bool,
    preprocessing_inside: bool = False,
) -> Path:
    """Raises an error for what cannot be exported, before any work.

    Returns:
        The directory, absolute.

    Raises:
        OSError: The directory cannot be written to, or is a file.
        ValueError: A format is unknown, does not have the precision or needs a library that is
            missing, or files would be replaced.
    """
    check_formats(formats, precision, CLASSIFIER_FORMATS)
    for name in formats:
        if name == "saved_model":
            check_backend("a SavedModel is written")
        if name == "litert" and preprocessing_inside:
            check_backend("preprocessing is written into LiteRT")
            if precision == "int8":
                raise ValueError("litert in int8 takes preprocessed images only")
        if precision == "int8":
            check_quantization("litert_dynamic" if name == "litert" else name)
    files = (file for name in formats for file in CLASSIFIER_FORMATS[name].files)
    return check_output(output_dir, files, overwrite)


def _described(
    description: FileDescription,
    quantized: Quantized | None,
    pictures: QuantizationPictures | None,
) -> FileDescription:
    if quantized is None or pictures is None:
        return description
    return description.replace(
        accuracy=quantized.float_accuracy.fraction,
        accuracy_of_file=quantized.accuracy.fraction,
        scored_on=f"{pictures.held_out.dataset}, {quantized.accuracy.pictures} held-out pictures",
    )


def _prepared(trained: TrainedModel, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns preprocessed pictures: one alone, then in batches."""
    images = [
        np.asarray(preprocess(pixels[np.newaxis], trained.preprocessing_name, trained.image_size))
        for pixels in pictures
    ]
    starts = range(1, len(images), _BATCH)
    return images[:1] + [np.concatenate(images[start : start + _BATCH]) for start in starts]


def _network_answer(trained: TrainedModel, images: Sequence[np.ndarray]) -> Answer:
    network: keras.Model = inference_model(trained.model)

    def run(batch: np.ndarray) -> Answer:
        with memory_for(image_size=trained.image_size):
            return network(batch, training=False)

    return _answers(run, images)


def _answers(run: Callable[[np.ndarray], Answer], batches: Sequence[np.ndarray]) -> Answer:
    answers = [run(batch) for batch in batches]
    return {
        name: np.concatenate([np.asarray(answer[name]) for answer in answers]) for name in OUTPUTS
    }
