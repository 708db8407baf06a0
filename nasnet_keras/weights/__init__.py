"""Weights from elsewhere: slim checkpoints, keras.applications, files of this package."""

from nasnet_keras.weights.assign import LoadReport
from nasnet_keras.weights.catalogue import PublishedWeights, list_weights
from nasnet_keras.weights.keras_applications import load_keras_applications_weights
from nasnet_keras.weights.pretrained import load_pretrained
from nasnet_keras.weights.slim_checkpoint import (
    load_slim_checkpoint,
    slim_checkpoint_shapes,
    slim_checkpoint_step,
)
from nasnet_keras.weights.slim_writer import save_slim_checkpoint
from nasnet_keras.weights.timm_weights import load_timm_weights

__all__ = [
    "LoadReport",
    "PublishedWeights",
    "list_weights",
    "load_keras_applications_weights",
    "load_pretrained",
    "load_slim_checkpoint",
    "load_timm_weights",
    "save_slim_checkpoint",
    "slim_checkpoint_shapes",
    "slim_checkpoint_step",
]
