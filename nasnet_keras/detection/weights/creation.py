"""A detector by name, with random weights or with the original's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nasnet_keras.detection.configuration.configs import get_config
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.coco import COCO_IDS, COCO_UNUSED
from nasnet_keras.detection.weights.detector_checkpoint import assign_detector, open_detector
from nasnet_keras.detection.weights.detector_names import CLASS_BIASES
from nasnet_keras.layers.initializer import blank_values
from nasnet_keras.settings import hints
from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.weights.assign import LoadReport
from nasnet_keras.weights.catalogue import COCO, published_weights
from nasnet_keras.weights.published_files import published_file

PUBLISHED = f"{COCO}:"
"""What the published detectors' names begin with where a path could stand instead."""


def create_detector(
    name: str, weights: str | os.PathLike[str] | None = None, **overrides: Any
) -> FasterRCNN:
    """Builds a detector by name, or a variant of it.

    Args:
        name: A name of `nasnet_keras.detection.list_configs()`, e.g. `"nasnet_large_1200"`.
        weights: `None` for random ones; `"coco"` for the published ones, downloaded into Keras's
            cache directory, with a class for each id up to COCO's largest (`COCO_NAMES`), or
            `"coco:nasnet_large_1200"` for those of another name; or a checkpoint, frozen graph or
            archive of the TF Object Detection API, see `load_detector_checkpoint`. The detector has
            the number of classes of its weights; 90 are taken for COCO's ids, unless
            `unused_classes=()` says that each stands for something.
        **overrides: Fields of `DetectorConfig` to change, e.g. `image_size=(256, 256)`,
            `classes=5`, `evaluation_proposals=16`.

    Returns:
        The detector.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A name is unknown (the nearest is suggested), a value is invalid, or the weights
            are another detector's.
        ConnectionError: The download failed; the error says which file to put where.
    """
    config = _config(name, overrides)
    if weights is None:
        return FasterRCNN(config)
    return create_and_load(name, weights, overrides)[0]


def create_and_load(
    name: str, weights: str | os.PathLike[str], overrides: Mapping[str, Any]
) -> tuple[FasterRCNN, LoadReport]:
    """Returns also what was set; arguments and errors as above."""
    file = detector_file(f"{PUBLISHED}{name}" if weights == COCO else weights)
    with open_detector(file) as (source, arrays, ignored):
        classes = overrides.get("classes", arrays[CLASS_BIASES].shape[0] - 1)
        unused = COCO_UNUSED if classes == len(COCO_IDS) else ()
        overrides = {"classes": classes, "unused_classes": unused, **overrides}
        with blank_values():
            detector = FasterRCNN(_config(name, overrides))
        report = assign_detector(detector, arrays, source, ignored=ignored)
    return detector, report


def detector_file(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Returns the file of a published detector, downloaded if need be, and any other path as it is.

    Args:
        path: E.g. `"coco:nasnet_large_1200"`.

    Raises:
        ValueError: There is no such published detector.
        ConnectionError: The download failed; the error says which file to put where.
    """
    if not is_published(path):
        return path
    return published_file(published_weights(os.fspath(path).removeprefix(PUBLISHED), COCO))


def is_published(path: str | os.PathLike[str]) -> bool:
    """Returns whether a published detector is meant, and no file."""
    return os.fspath(path).startswith(PUBLISHED)


def _config(name: str, overrides: Mapping[str, Any]) -> DetectorConfig:
    fields = hints(DetectorConfig)
    for field in overrides:
        if field not in fields:
            raise ValueError(unknown_name("detector setting", field, fields))
    return get_config(name).override(**overrides).detector
