"""Datasets by name, preprocessing, augmentation, batches."""

from nasnet_keras.data.sources.image_dataset import ImageDataset
from nasnet_keras.data.sources.registry import (
    check_dataset,
    fits_in_memory,
    list_datasets,
    load_dataset,
)
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches, evaluation_batches
from nasnet_keras.data.streams.pipeline import image_batches
from nasnet_keras.data.streams.stream import BatchStream

__all__ = [
    "BatchStream",
    "EvaluationBatches",
    "ImageDataset",
    "check_dataset",
    "evaluation_batches",
    "fits_in_memory",
    "image_batches",
    "list_datasets",
    "load_dataset",
]
