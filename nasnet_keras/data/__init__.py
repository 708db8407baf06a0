"""Datasets by name, preprocessing, augmentation, batches."""

from nasnet_keras.data.image_dataset import ImageDataset
from nasnet_keras.data.pipeline import BatchStream, image_batches
from nasnet_keras.data.registry import (
    check_dataset,
    fits_in_memory,
    list_datasets,
    load_dataset,
)

__all__ = [
    "BatchStream",
    "ImageDataset",
    "check_dataset",
    "fits_in_memory",
    "image_batches",
    "list_datasets",
    "load_dataset",
]
