"""Faster R-CNN on the features of any network: its parts one by one, and its training."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasnet_keras.detection.backbone import Backbone, build_backbone, split_network
    from nasnet_keras.detection.config import DetectorConfig
    from nasnet_keras.detection.configs import get_config, list_configs
    from nasnet_keras.detection.faster_rcnn import FasterRCNN
    from nasnet_keras.detection.optimizer import make_optimizer
    from nasnet_keras.detection.trained_detector import load_trained_detector
    from nasnet_keras.detection.training_config import TrainingConfig

__all__ = [
    "Backbone",
    "DetectorConfig",
    "FasterRCNN",
    "TrainingConfig",
    "build_backbone",
    "get_config",
    "list_configs",
    "load_trained_detector",
    "make_optimizer",
    "split_network",
]

_MODULES = {
    "Backbone": "backbone",
    "DetectorConfig": "config",
    "FasterRCNN": "faster_rcnn",
    "TrainingConfig": "training_config",
    "build_backbone": "backbone",
    "get_config": "configs",
    "list_configs": "configs",
    "load_trained_detector": "trained_detector",
    "make_optimizer": "optimizer",
    "split_network": "backbone",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: a program reads its flags before Keras is imported.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
