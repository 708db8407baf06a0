"""A network as it was saved, with all that its file names."""

from __future__ import annotations

import os

import keras

# Registers the layers, optimizers and schedules that a `.keras` file names.
import nasnet_keras.data.augmentation
import nasnet_keras.layers
import nasnet_keras.training.optimizers.moving_average
import nasnet_keras.training.optimizers.schedules
import nasnet_keras.training.step.training_network  # noqa: F401
from nasnet_keras.hub.address import is_hub_address
from nasnet_keras.hub.download import download_network
from nasnet_keras.weights.keras_files import load_keras_model


def load_model(path: str | os.PathLike[str], compile: bool = True) -> keras.Model:
    """Reads a saved network; Keras's safe mode is on.

    `keras.saving.load_model` reads it too where `nasnet_keras` was imported after Keras.

    Args:
        path: A `.keras` file, a folder of its members, or a network on the Hugging Face Hub,
            `"hf://owner/name"`, which is downloaded unless it is in the cache.
        compile: Whether its optimizer and loss are read too.

    Returns:
        The model as it was saved.

    Raises:
        OSError: There is no such file or repository, or the Hub cannot be reached.
        ValueError: It is truncated, no `.keras` file, or holds what safe mode refuses.
    """
    if is_hub_address(path):
        path = download_network(os.fspath(path))
    return load_keras_model(path, compile=compile)
