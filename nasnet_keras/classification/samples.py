"""A few pictures of a dataset beside a run, to try the trained network on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from nasnet_keras.data import ImageDataset
from nasnet_keras.files.atomic_files import atomic_write, make_directory

_CLASSES = 20


def write_samples(dataset: ImageDataset, directory: Path) -> None:
    """Writes the first image of each class, of the first classes, as `<dataset>_<class>_<row>.png`.

    Args:
        dataset: The images.
        directory: Where to write; it is made.

    Raises:
        OSError: It cannot be written to.
    """
    make_directory(directory)
    for label, name in list(enumerate(dataset.class_names))[:_CLASSES]:
        for row in np.flatnonzero(dataset.labels == label)[:1]:
            with atomic_write(directory / f"{dataset.name}_{name}_{row}.png") as path:
                Image.fromarray(dataset.images[row]).save(path)
