"""The pictures on which an exported classifier is compared with the network."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.detection.inference.picture_files import find_pictures, sample_pictures
from nasnet_keras.files.input_files import read_file
from nasnet_keras.training.run_directory import find_checkpoint
from nasnet_keras.weights.catalogue import named_weights

_SAMPLES = "samples"


def check_pictures(
    checkpoint: str | os.PathLike[str],
    given: Sequence[str | os.PathLike[str]] = (),
    most: int = 20,
    upright: bool = True,
) -> list[np.ndarray]:
    """Reads pictures to compare on.

    Args:
        checkpoint: A run directory, a `.keras` file or the name of a published network. Where
            nothing is given, the run's `samples` are taken; a network without any is compared on
            scikit-learn's two photographs.
        given: Images and folders of images.
        most: How many at most, evenly from all.
        upright: Turn them as their EXIF orientation says.

    Returns:
        Pixels, `(height, width, 3)`, uint8, each of its own size.

    Raises:
        OSError: One cannot be read.
        ValueError: One is no image, or a folder has none.
    """
    if not given and not named_weights(checkpoint):
        samples = find_checkpoint(checkpoint, prefer_best=False).parent / _SAMPLES
        given = [samples] if samples.is_dir() else []
    if not given:
        return sample_pictures()[:most]
    files = find_pictures(given)
    # A folder's order is that of the classes.
    places = np.linspace(0, len(files) - 1, min(most, len(files))).round().astype(int)
    pictures = []
    for file in (files[place] for place in places):
        try:
            pictures.append(decode_image(read_file(file), upright))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
    return pictures
