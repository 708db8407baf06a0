"""A detector by name, with random weights or with the original's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nasnet_keras.detection.configuration.configs import get_config
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.detector_checkpoint import assign_detector, open_detector
from nasnet_keras.detection.weights.detector_names import CLASS_BIASES
from nasnet_keras.settings import hints
from nasnet_keras.suggestions import unknown_name


def create_detector(
    name: str, weights: str | os.PathLike[str] | None = None, **overrides: Any
) -> FasterRCNN:
    """Builds a detector by name, or a variant of it.

    Args:
        name: A name of `nasnet_keras.detection.list_configs()`, e.g. `"nasnet_large_1200"`.
        weights: `None` for random ones, or a checkpoint or frozen graph of the TF Object Detection
            API, see `load_detector_checkpoint`; the detector then has its number of classes.
        **overrides: Fields of `DetectorConfig` to change, e.g. `image_size=(256, 256)`,
            `classes=5`, `evaluation_proposals=16`.

    Returns:
        The detector.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A name is unknown (the nearest is suggested), a value is invalid, or the weights
            are another detector's.
    """
    config = _config(name, overrides)
    if weights is None:
        return FasterRCNN(config)
    source, arrays, ignored = open_detector(weights)
    if "classes" not in overrides:
        classes = arrays[CLASS_BIASES].shape[0] - 1
        config = _config(name, {**overrides, "classes": classes})
    detector = FasterRCNN(config)
    assign_detector(detector, arrays, source, ignored=ignored)
    return detector


def _config(name: str, overrides: Mapping[str, Any]) -> DetectorConfig:
    fields = hints(DetectorConfig)
    for field in overrides:
        if field not in fields:
            raise ValueError(unknown_name("detector setting", field, fields))
    return get_config(name).override(**overrides).detector
