"""A network in a file of any kind, as one function of arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.export.description import FileDescription, format_of, read_description
from nasnet_keras.export.runtimes import open_runtime
from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json

# Of detectors exported before they had a description.
_DETECTOR_INPUTS = ("images", "image_sizes")
_DETECTOR_OUTPUTS = ("boxes", "scores", "labels", "count")
_CLASSIFIER_OUTPUTS = ("logits", "probabilities")


@dataclass(frozen=True, eq=False)
class Network:
    """A network and how pictures reach it.

    Attributes:
        description: What it is.
        run: Takes arrays in the order of its inputs, returns its outputs by name.
    """

    description: FileDescription
    run: Callable[..., dict[str, np.ndarray]]


def load_network(
    path: str | os.PathLike[str],
    image_size: int | None = None,
    threads: int | None = None,
    config: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Network:
    """Loads a network from what a training or an export wrote, or a published one.

    Args:
        path: A run directory, a `.keras` file, a network on the Hub (`"hf://owner/name"`), or an
            exported file: `.onnx`, OpenVINO's `.xml`, `.tflite`, or a SavedModel. Of these the
            runtime is all that is needed: `onnxruntime`, `openvino`, `ai-edge-litert`. Or a
            published classifier or detector, `"imagenet:nasnet_mobile"`,
            `"coco:nasnet_large_1200"`; or a detector of the TF Object Detection API, as
            `load_trained_detector` takes it.
        image_size: Side of the images, in pixels, for a classifier in a run directory or `.keras`
            file that takes any size.
        threads: Of an exported file's runtime, but TensorFlow's, for one call. Default: one for
            each core.
        config: Of a detector of the TF Object Detection API, see `load_trained_detector`.
        class_names: Of a detector in no exported file: replace the names of its classes.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated, no network, or has no description; a library is missing; or an
            argument is for networks of another kind.
    """
    path = Path(path)
    file_format = format_of(path)
    if file_format is None:
        return _of_keras(path, image_size, config, class_names)
    if image_size is not None:
        raise ValueError(f"{path} is an exported file: its image size is fixed")
    _refuse(f"{path} is an exported file", config=config, class_names=class_names)
    return _of_file(path, file_format, threads)


def _of_file(path: Path, file_format: str, threads: int | None) -> Network:
    description = _description(path)
    loaded = open_runtime(file_format, path, description.precision, threads)
    if set(description.inputs) != loaded.inputs or not loaded.outputs.issuperset(
        description.outputs
    ):
        raise ValueError(f"{path} has other inputs or outputs than its description says")

    def run(*arrays: np.ndarray) -> dict[str, np.ndarray]:
        found = loaded(**dict(zip(description.inputs, arrays, strict=True)))
        return {name: found[name] for name in description.outputs}

    return Network(description, run)


def _description(path: Path) -> FileDescription:
    """Returns a file's description, or that of `detector.json` beside an earlier detector."""
    try:
        return read_description(path)
    except ValueError:
        file = path.parent / "detector.json"
        if not file.is_file():
            raise
    try:
        values = parse_json(read_file(file))
        return FileDescription(
            kind="detector",
            network="",
            class_names=values["class_names"],
            image_size=values["image_size"],
            preprocessing="pad" if values["keep_aspect"] else "stretch",
            inputs=_DETECTOR_INPUTS,
            outputs=_DETECTOR_OUTPUTS,
            batch=1,
            category_ids=values["category_ids"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{file} is not the description of a detector: {error}") from None


def _refuse(what: str, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{what}: it takes no {name}")


def _of_keras(
    path: Path, image_size: int | None, config: str | None, class_names: Sequence[str] | None
) -> Network:
    from nasnet_keras.detection.inference.trained_detector import holds_detector, is_original

    if holds_detector(path) or is_original(path):
        if image_size is not None:
            raise ValueError(f"{path} is a detector: its image size is the one it was trained for")
        return _of_detector(path, config, class_names)
    _refuse(f"{path} is a classifier", config=config, class_names=class_names)
    return _of_classifier(path, image_size)


def _of_classifier(path: Path, image_size: int | None) -> Network:
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.models.inference import inference_model
    from nasnet_keras.out_of_memory import memory_for

    trained = load_trained_model(path, image_size)
    model = inference_model(trained.model)
    description = FileDescription(
        kind="classifier",
        network=trained.model.name,
        class_names=trained.class_names,
        image_size=(trained.image_size, trained.image_size),
        preprocessing=trained.preprocessing_name,
        exif_orientation=trained.exif_orientation,
        inputs=("images",),
        outputs=_CLASSIFIER_OUTPUTS,
    )

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        with memory_for(image_size=trained.image_size):
            found = model(images, training=False)
        return {name: np.asarray(found[name]) for name in _CLASSIFIER_OUTPUTS}

    return Network(description, run)


def _of_detector(path: Path, config: str | None, class_names: Sequence[str] | None) -> Network:
    from nasnet_keras.detection.inference.predictor import Predictor
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.export.detector_description import describe_detector

    served = load_trained_detector(path, class_names, config=config)
    return Network(describe_detector(served), Predictor(served).detect)
