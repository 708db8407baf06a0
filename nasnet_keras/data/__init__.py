"""Datasets by name, preprocessing, augmentation, batches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULES = {
    "BatchStream": "streams.stream",
    "EvaluationBatches": "streams.evaluation_batches",
    "ImageDataset": "sources.image_dataset",
    "check_dataset": "sources.registry",
    "evaluation_batches": "streams.evaluation_batches",
    "fits_in_memory": "sources.registry",
    "image_batches": "streams.pipeline",
    "list_datasets": "sources.registry",
    "load_dataset": "sources.registry",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: a server that reads images has no datasets and no Keras.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
