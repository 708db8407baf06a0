"""The smallest detector that has every part."""

from typing import Any

import keras
import numpy as np

import nasnet_keras as nk
from nasnet_keras.detection import DetectorConfig
from tests.one_block_cells import GENOTYPE


def tiny_network(**overrides: Any) -> nk.NetworkConfig:
    settings: dict[str, Any] = {
        "num_cells": 3,
        "filters": 8,
        "stem": "imagenet",
        "stem_filters": 8,
        "batch_norm_momentum": 0.8,
    }
    return nk.NetworkConfig(GENOTYPE, **(settings | overrides))


def tiny_config(network: dict[str, Any] | None = None, **overrides: Any) -> DetectorConfig:
    settings: dict[str, Any] = {
        "classes": 3,
        "image_size": (64, 64),
        "anchor_base_size": 32.0,
        "anchor_scales": (0.5, 1.0),
        "anchor_aspect_ratios": (1.0,),
        "region_filters": 16,
        "region_batch_size": 32,
        "training_proposals": 12,
        "evaluation_proposals": 8,
        "propose_ground_truth": True,
        "box_batch_size": 8,
        "box_positive_fraction": 0.5,
        "crop_size": 4,
        "crops_per_chunk": 4,
        "training_crops_per_chunk": 4,
        "detections_per_class": 4,
        "detections": 6,
        "train_batch_norm": True,
    }
    return DetectorConfig(tiny_network(**(network or {})), **(settings | overrides))


def tiny_batch() -> dict[str, np.ndarray]:
    """Two images with coloured squares; the second one is padded and has a crowd."""
    images = np.random.default_rng(0).integers(90, 160, (2, 64, 64, 3)).astype("uint8")
    images[0, 8:40, 16:48] = (250, 20, 20)
    images[0, 40:58, 2:18] = (20, 250, 20)
    images[1, 16:48, 8:40] = (20, 20, 250)
    images[1, 56:] = 0
    boxes = np.zeros((2, 3, 4), "float32")
    boxes[0, :2] = [[8, 16, 40, 48], [40, 2, 58, 18]]
    boxes[1, :2] = [[16, 8, 48, 40], [0, 44, 30, 64]]
    return {
        "images": images,
        "image_sizes": np.array([[64, 64], [56, 64]], "float32"),
        "boxes": boxes,
        "labels": np.array([[0, 1, -1], [2, 0, -1]], "int32"),
        "crowd": np.array([[0, 0, 0], [0, 1, 0]], "int32"),
    }


def as_numpy(values: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, values)
