"""A trained detector and how pictures are prepared for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.data.augmentation import NO_AUGMENTATION, DetectionAugmentation
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.creation import is_published
from nasnet_keras.detection.weights.original_detector import load_original
from nasnet_keras.training.checkpoint import read_training_state
from nasnet_keras.training.run_directory import (
    CHECKPOINT_NAME,
    find_checkpoint,
    read_config,
    run_of,
)
from nasnet_keras.training.saved_network import load_model
from nasnet_keras.weights.keras_archive import CONFIG_NAME, is_unpacked, read_json_member
from nasnet_keras.weights.sources import CONVERTED, is_converted
from nasnet_keras.weights.tensorflow_files import GRAPH_NAME
from nasnet_keras.weights.timm_weights import TIMM_ENDINGS

_OTHER_ENDINGS = (".keras", ".h5", ".hdf5", *TIMM_ENDINGS)


@dataclass(frozen=True, eq=False)
class TrainedDetector:
    """A detector and how pictures are prepared for it.

    Attributes:
        model: The detector.
        class_names: Names of its classes, in the order of the labels.
        category_ids: The ids that the dataset's own files use for them.
        keep_aspect: Whether pictures keep their aspect ratio and are padded to the size of
            `model.config.image_size`; otherwise they are stretched to it.
        exif_orientation: Whether pictures are turned upright, as their EXIF orientation says.
        config: Its run, if there is one.
        path: Its file.
        step: Its training steps, 0 if not known.
    """

    model: FasterRCNN
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    keep_aspect: bool = False
    config: RunConfig | None = None
    path: Path | None = None
    step: int = 0
    exif_orientation: bool = True

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images that it was trained on, in pixels."""
        height, width = self.model.config.image_size
        return height, width

    @property
    def augmentation(self) -> DetectionAugmentation:
        """The random changes of its training images."""
        return self.config.training.augmentation if self.config else NO_AUGMENTATION


def holds_detector(path: str | os.PathLike[str]) -> bool:
    """Returns whether a `.keras` file, or the one of a run, is a detector's.

    A published detector's name is one's too.
    """
    if is_published(path):
        return True
    try:
        path = find_checkpoint(path)
    except FileNotFoundError:
        return False
    if path.suffix != ".keras" and not is_unpacked(path):
        return False
    try:
        config = read_json_member(path, CONFIG_NAME)
    except (OSError, ValueError):
        return False  # What is wrong with it, the loader says.
    return isinstance(config, dict) and config.get("class_name") == FasterRCNN.__name__


def is_original(path: str | os.PathLike[str]) -> bool:
    """Returns whether a path is named as TensorFlow's checkpoint or graph, or an archive of one.

    A published detector's name is too. What is in a file, `open_source` says.
    """
    text = os.fspath(path)
    if is_published(text):
        return True
    if text.endswith(CONVERTED):
        return os.path.isfile(text) and is_converted(text)
    if text.endswith(_OTHER_ENDINGS):
        return False
    if os.path.isdir(text):
        names = os.listdir(text)
        holds_one = any(name.endswith(".index") or name == GRAPH_NAME for name in names)
        return holds_one and CHECKPOINT_NAME not in names
    return os.path.exists(text) or os.path.exists(f"{text}.index")


def load_trained_detector(
    path: str | os.PathLike[str],
    class_names: Sequence[str] | None = None,
    keep_aspect: bool | None = None,
    evaluation_proposals: int | None = None,
    exif_orientation: bool | None = None,
    config: str | None = None,
) -> TrainedDetector:
    """Loads a detector from a run directory, a `.keras` file or an original one.

    Args:
        path: A run directory, of which the best detector is taken, or the last where none was
            scored; or a `.keras` file. Classes, their ids and the way of resizing are read from the
            `config.json` beside it; without one, classes are numbered. Or one on the Hub,
            `"hf://owner/name"`, or a published detector, e.g. `"coco:nasnet_large_1200"`,
            downloaded if need be. Or one of the TF Object Detection API, as
            `load_detector_checkpoint` takes it: its classes have the ids from 1.
        class_names: Replace the names of the classes.
        keep_aspect: Replaces the way of resizing.
        evaluation_proposals: Proposals in an image, e.g. 50 for speed. Default: as trained.
        exif_orientation: Replaces what the `config.json` says of it; without one, pictures are
            turned.
        config: Name of the configuration that one of the TF Object Detection API is of, or a JSON
            file with one. Default: told by the name of a published archive or its directory.

    Returns:
        The detector and how to use it.

    Raises:
        OSError: The file is missing.
        ValueError: The file is truncated or not a detector, contradicts the `config.json` beside
            it, or the number of names is not that of its classes; `config` is missing, or given
            for one that has its own.
    """
    if is_original(path):
        model, run, _ = load_original(path, config, class_names)
        path, step = Path(path), 0
    else:
        path = find_checkpoint(path)
        if config is not None:
            raise ValueError(
                f"config={config!r} is for a detector of the TF Object Detection API; {path} has "
                "its own configuration"
            )
        run = read_config(RunConfig, run_of(path) or path.parent)
        model = load_model(path, compile=False)
        if not isinstance(model, FasterRCNN):
            raise ValueError(f"{path} is not a detector: it holds a {type(model).__name__}")
        state = read_training_state(path)
        step = state.step if state else 0
    classes = model.config.classes
    names = tuple(class_names or (run.class_names if run else map(str, range(classes))))
    ids = run.category_ids if run else tuple(range(1, classes + 1))
    for what, values in (("names", names), ("category ids", ids)):
        if len(values) != classes:
            where = "given" if class_names and what == "names" else "in its config.json"
            raise ValueError(
                f"{path} has {classes} classes, but there are {len(values)} {what} {where}"
            )
    if evaluation_proposals is not None:
        model.config = model.config.replace(evaluation_proposals=evaluation_proposals)
    if keep_aspect is None:
        keep_aspect = run.training.keep_aspect if run else False
    if exif_orientation is None:
        exif_orientation = run.training.exif_orientation if run else True
    return TrainedDetector(model, names, ids, keep_aspect, run, path, step, exif_orientation)
