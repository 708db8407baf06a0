"""Training of a detector that starts from other weights."""

from __future__ import annotations

import os
from pathlib import Path

import keras

from nasnet_keras.detection.faster_rcnn import FasterRCNN
from nasnet_keras.detection.trained_detector import BEST_NAME, load_trained_detector
from nasnet_keras.models.presets import PRESETS
from nasnet_keras.training.fine_tuning import describe_start, start_from
from nasnet_keras.training.trained_model import CHECKPOINT_NAME
from nasnet_keras.weights.assign import MisfitError
from nasnet_keras.weights.pretrained import IMAGENET, load_pretrained
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE

_BOX_HEAD = "box_head"


def start_detector_from(model: FasterRCNN, checkpoint_path: str | os.PathLike[str]) -> str:
    """Sets a detector's weights from a classifier or another detector.

    A classifier of the same network gives both stages their weights. A detector gives all, but for
    the second stage's dense layers where it has another number of classes.

    Args:
        model: The detector.
        checkpoint_path: A classifier as `start_from` takes it, or `"imagenet"`; or a detector's run
            or `.keras` file.

    Returns:
        A line that says what was set.

    Raises:
        OSError: There is no such checkpoint.
        ValueError: It is damaged or does not fit; nothing has changed.
    """
    path = Path(checkpoint_path)
    if _holds_detector(path):
        return _from_detector(model, path)
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


def _holds_detector(path: Path) -> bool:
    """Returns whether a `.keras` file, or the one of a run, is a detector's."""
    import json
    import zipfile

    if path.is_dir():
        path = path / BEST_NAME if (path / BEST_NAME).exists() else path / CHECKPOINT_NAME
    if path.suffix != ".keras" or not path.exists():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json")).get("class_name") == FasterRCNN.__name__
    except (zipfile.BadZipFile, KeyError, ValueError):
        return False  # What is wrong with it, the loader says.


def _from_detector(model: FasterRCNN, path: Path) -> str:
    saved = load_trained_detector(path)
    same = saved.model.config.classes == model.config.classes
    ours, theirs = _by_path(model, same), _by_path(saved.model, same)
    wrong = [
        name
        for name in sorted({*ours, *theirs})
        if name not in ours or name not in theirs or ours[name].shape != theirs[name].shape
    ]
    if wrong:
        raise ValueError(
            f"{saved.path} is another detector: {len(wrong)} variables do not fit, e.g. {wrong[0]}"
        )
    for name, variable in ours.items():
        variable.assign(keras.ops.convert_to_numpy(theirs[name]))
    left = "" if same else f"; {_BOX_HEAD} left as it was, for {model.config.classes} classes"
    return f"{len(ours):,} variables from {saved.path}{left}"


def _by_path(model: FasterRCNN, with_box_head: bool) -> dict[str, keras.Variable]:
    return {
        variable.path: variable
        for variable in model.weights
        if "seed_generator" not in variable.path
        and not variable.path.startswith("drop_path_schedule")
        and (with_box_head or _BOX_HEAD not in variable.path.split("/"))
    }
