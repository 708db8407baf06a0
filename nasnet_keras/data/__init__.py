"""Datasets by name, preprocessing, augmentation, batches."""

from nasnet_keras.data.image_dataset import ImageDataset
from nasnet_keras.data.registry import list_datasets, load_dataset

__all__ = ["ImageDataset", "list_datasets", "load_dataset"]
