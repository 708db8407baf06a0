"""Faster R-CNN on the features of any network: its parts one by one, and its training."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasnet_keras.detection.configuration.configs import get_config, list_configs
    from nasnet_keras.detection.configuration.training_config import TrainingConfig
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.detection.modeling.backbone import Backbone, build_backbone, split_network
    from nasnet_keras.detection.modeling.config import DetectorConfig
    from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
    from nasnet_keras.detection.training.optimizer import make_optimizer
    from nasnet_keras.detection.weights.creation import create_detector
    from nasnet_keras.detection.weights.detector_checkpoint import (
        load_detector_checkpoint,
        save_detector_checkpoint,
    )

__all__ = [
    "Backbone",
    "DetectorConfig",
    "FasterRCNN",
    "TrainingConfig",
    "build_backbone",
    "create_detector",
    "get_config",
    "list_configs",
    "load_detector_checkpoint",
    "load_trained_detector",
    "make_optimizer",
    "save_detector_checkpoint",
    "split_network",
]

_MODULES = {
    "Backbone": "modeling.backbone",
    "DetectorConfig": "modeling.config",
    "FasterRCNN": "modeling.faster_rcnn",
    "TrainingConfig": "configuration.training_config",
    "build_backbone": "modeling.backbone",
    "create_detector": "weights.creation",
    "get_config": "configuration.configs",
    "list_configs": "configuration.configs",
    "load_detector_checkpoint": "weights.detector_checkpoint",
    "load_trained_detector": "inference.trained_detector",
    "make_optimizer": "training.optimizer",
    "save_detector_checkpoint": "weights.detector_checkpoint",
    "split_network": "modeling.backbone",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: a program reads its flags before Keras is imported.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
