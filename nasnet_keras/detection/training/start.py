"""Training of a detector that starts from other weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.inference.trained_detector import holds_detector
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.creation import PUBLISHED
from nasnet_keras.detection.weights.detector_checkpoint import assign_detector, open_detector
from nasnet_keras.detection.weights.detector_names import BOX_HEAD, CLASS_BIASES
from nasnet_keras.models.presets import PRESETS
from nasnet_keras.training.fine_tuning import describe_start, start_from
from nasnet_keras.training.run_directory import (
    CHECKPOINT_NAME,
    find_checkpoint,
    read_config,
    run_of,
)
from nasnet_keras.weights.assign import MisfitError
from nasnet_keras.weights.catalogue import COCO, IMAGENET, published_weights
from nasnet_keras.weights.keras_files import load_keras_model
from nasnet_keras.weights.pretrained import load_pretrained
from nasnet_keras.weights.published_files import published_file
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE
from nasnet_keras.weights.sources import open_source
from nasnet_keras.weights.tensorflow_files import GRAPH_SUFFIX

_KERAS_ENDINGS = (".keras", ".h5", ".hdf5")


def start_detector_from(
    model: FasterRCNN,
    checkpoint_path: str | os.PathLike[str],
    class_names: Sequence[str] | None = None,
) -> str:
    """Sets a detector's weights from a classifier or another detector.

    A classifier of the same network gives both stages their weights. A detector gives all, but for
    the second stage's dense layers where its classes are others.

    Args:
        model: The detector.
        checkpoint_path: A classifier as `start_from` takes it, or `"imagenet"`; or a detector's run
            or `.keras` file; or one of the TF Object Detection API, see
            `load_detector_checkpoint`, of which `"coco:nasnet_large_1200"` is a published one.
        class_names: Names of the detector's classes, compared with those of the other detector's
            run. Default: only the number of classes is.

    Returns:
        A line that says what was set.

    Raises:
        OSError: There is no such checkpoint.
        ValueError: It is damaged or does not fit; nothing has changed.
    """
    original = _original_detector(checkpoint_path)
    if original is not None:
        return _from_original(model, original)
    path = Path(checkpoint_path)
    if holds_detector(path):
        return _from_detector(model, path, class_names)
    classifier: list[str] = [CLASSIFIER_SCOPE]
    if str(checkpoint_path) == IMAGENET:
        names = [name for name, p in PRESETS.items() if p.config == model.config.network]
        if not names:
            raise ValueError("there are no published weights of the detector's network")
        report = load_pretrained(model.network, names[0], IMAGENET, include_top=False)
        return describe_start(report)
    try:
        return describe_start(start_from(model.network, checkpoint_path, classifier))
    except MisfitError as error:
        # The auxiliary head, whose scope depends on the network.
        if not error.heads:
            raise
        scopes = list(dict.fromkeys([*classifier, *error.heads]))
    return describe_start(start_from(model.network, checkpoint_path, scopes))


def _original_detector(checkpoint_path: str | os.PathLike[str]) -> str | os.PathLike[str] | None:
    """Returns the file of an original detector, `None` if it is none."""
    text = os.fspath(checkpoint_path)
    if text.startswith(PUBLISHED):
        return published_file(published_weights(text.removeprefix(PUBLISHED), COCO))
    if text.endswith(GRAPH_SUFFIX):
        return checkpoint_path
    if not (os.path.exists(text) or os.path.exists(f"{text}.index")):
        return None
    if os.path.isdir(text) and (Path(text) / CHECKPOINT_NAME).exists():
        return None
    if text.endswith(_KERAS_ENDINGS):
        return None
    try:
        with open_source(text) as (_, arrays):
            return checkpoint_path if CLASS_BIASES in arrays else None
    except (OSError, ValueError):
        return None  # What is wrong with it, the loader says.


def _from_original(model: FasterRCNN, path: str | os.PathLike[str]) -> str:
    with open_detector(path) as (source, arrays, ignored):
        same = arrays[CLASS_BIASES].shape[0] - 1 == model.config.classes
        kept = () if same else (BOX_HEAD,)
        return describe_start(assign_detector(model, arrays, source, kept, ignored))


def _from_detector(model: FasterRCNN, path: Path, class_names: Sequence[str] | None) -> str:
    path = find_checkpoint(path)
    saved: Any = load_keras_model(path)
    same = saved.config.classes == model.config.classes
    run = run_of(path)
    config = read_config(RunConfig, run) if run else None
    if same and class_names is not None and config is not None:
        same = config.class_names == tuple(class_names)
    ours, theirs = _by_path(model, same), _by_path(saved, same)
    wrong = [
        name
        for name in sorted({*ours, *theirs})
        if name not in ours or name not in theirs or ours[name].shape != theirs[name].shape
    ]
    if wrong:
        raise ValueError(
            f"{path} is another detector: {len(wrong)} variables do not fit, e.g. {wrong[0]}"
        )
    for name, variable in ours.items():
        variable.assign(keras.ops.convert_to_numpy(theirs[name]))
    left = "" if same else f"; {BOX_HEAD} left as it was, for other classes"
    return f"{len(ours):,} variables from {path}{left}"


def _by_path(model: FasterRCNN, with_box_head: bool) -> dict[str, keras.Variable]:
    return {
        variable.path: variable
        for variable in model.weights
        if "seed_generator" not in variable.path
        and not variable.path.startswith("drop_path_schedule")
        and (with_box_head or BOX_HEAD not in variable.path.split("/"))
    }
