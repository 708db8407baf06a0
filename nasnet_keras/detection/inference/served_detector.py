"""A trained detector outside of its run: what it takes to use it on any picture."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Registers the layers and schedules that a `.keras` file names.
import nasnet_keras.layers
import nasnet_keras.training.optimizers.schedules  # noqa: F401
from nasnet_keras.detection.data.augmentation import NO_AUGMENTATION, DetectionAugmentation
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.training.run_directory import CONFIG_NAME, find_checkpoint, run_of
from nasnet_keras.weights.keras_files import load_keras_model


@dataclass(frozen=True, eq=False)
class ServedDetector:
    """A detector and how pictures reach it.

    Attributes:
        model: The detector, without its optimizer.
        class_names: Names of its classes, in the order of the labels.
        category_ids: The numbers that the dataset's own files use for them.
        keep_aspect: Whether pictures keep their aspect ratio and are padded to the size of
            `model.config.image_size`; otherwise they are stretched to it.
        augmentation: The random changes of its training images.
    """

    model: FasterRCNN
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    keep_aspect: bool = False
    augmentation: DetectionAugmentation = NO_AUGMENTATION

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images that it was trained on, in pixels."""
        height, width = self.model.config.image_size
        return height, width


def load_served_detector(
    path: str | os.PathLike[str],
    class_names: Sequence[str] | None = None,
    keep_aspect: bool | None = None,
    evaluation_proposals: int | None = None,
) -> ServedDetector:
    """Loads a detector from a run directory or a `.keras` file.

    Args:
        path: A run directory, of which the best detector is taken, or the last where none was
            scored; or a `.keras` file. Classes, their ids and the way of resizing are read from the
            `config.json` beside it; without one, classes are numbered.
        class_names: Replace the names of the classes.
        keep_aspect: Replaces the way of resizing.
        evaluation_proposals: Proposals to look at in an image, e.g. 50 for speed. Default: as
            trained.

    Returns:
        The detector and how to use it.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated or no detector, or the names are not as many as its classes.
    """
    checkpoint = find_checkpoint(path)
    model = load_keras_model(checkpoint)
    if not isinstance(model, FasterRCNN):
        raise ValueError(f"{checkpoint} holds a {type(model).__name__}, not a detector")
    if evaluation_proposals is not None:
        model.config = model.config.replace(evaluation_proposals=evaluation_proposals)
    config_path = (run_of(checkpoint) or checkpoint.parent) / CONFIG_NAME
    config = _read_config(config_path)
    classes = model.config.classes
    names = tuple(class_names or config.get("class_names") or map(str, range(classes)))
    if len(names) != classes:
        where = "given" if class_names else f"in {config_path}"
        raise ValueError(
            f"{checkpoint} has {classes} classes, but there are {len(names)} names {where}"
        )
    ids = tuple(config.get("category_ids") or range(1, classes + 1))
    if len(ids) != classes:
        raise ValueError(
            f"{checkpoint} has {classes} classes, but {config_path} has {len(ids)} category ids"
        )
    if keep_aspect is None:
        keep_aspect = bool(config.get("keep_aspect", False))
    augmentation = config.get("augmentation", NO_AUGMENTATION)
    return ServedDetector(model, names, ids, keep_aspect, augmentation)


def read_class_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Reads the names of classes from a file with one a line; empty lines do not count.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no text, there is no name, or one is there twice.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{os.fspath(path)} is not text: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise ValueError(f"{os.fspath(path)} names no class")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{os.fspath(path)} names {name!r} twice")
    return names


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        names, ids = config["class_names"], config.get("category_ids", [])
        training = config.get("training", config)
        augmentation: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in training.get("augmentation", {"flip": 0.0}).items()
        }
        return {
            "class_names": [str(name) for name in names],
            "category_ids": [int(number) for number in ids],
            "keep_aspect": bool(training.get("keep_aspect", False)),
            "augmentation": DetectionAugmentation(**augmentation),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not the configuration of a run: {error}") from None
