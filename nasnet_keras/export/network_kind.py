"""Whether a trained network is a classifier or a detector, before it is loaded."""

from __future__ import annotations

import os

from nasnet_keras.detection.inference.trained_detector import holds_detector, is_original
from nasnet_keras.training.run_directory import find_checkpoint
from nasnet_keras.weights.keras_archive import CONFIG_NAME, read_json_member


def check_is_classifier(path: str | os.PathLike[str]) -> None:
    """Refuses a detector, with the program for it.

    Raises:
        ValueError: It is one.
    """
    if holds_detector(path):
        raise ValueError(f"{os.fspath(path)} is a detector: `nasnet-keras detect export` writes it")


def check_is_detector(path: str | os.PathLike[str]) -> None:
    """Refuses a classifier, with the program for it; what is wrong with a file, its loader says.

    Raises:
        OSError: There is no such file.
        ValueError: It is one.
    """
    if is_original(path) or holds_detector(path):
        return
    file = find_checkpoint(path)
    if file.suffix == ".keras" and isinstance(read_json_member(file, CONFIG_NAME), dict):
        raise ValueError(
            f"{os.fspath(path)} is no detector: `nasnet-keras export` writes classifiers"
        )
