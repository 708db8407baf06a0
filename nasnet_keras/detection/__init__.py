"""Faster R-CNN on the features of any network, its parts one by one."""

from nasnet_keras.detection.backbone import Backbone, build_backbone, split_network
from nasnet_keras.detection.config import DetectorConfig
from nasnet_keras.detection.faster_rcnn import FasterRCNN
from nasnet_keras.detection.optimizer import make_optimizer

__all__ = [
    "Backbone",
    "DetectorConfig",
    "FasterRCNN",
    "build_backbone",
    "make_optimizer",
    "split_network",
]
