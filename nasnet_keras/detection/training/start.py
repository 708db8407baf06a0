"""Training of a detector that starts from other weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.inference.trained_detector import holds_detector, is_original
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.creation import detector_file
from nasnet_keras.detection.weights.detector_checkpoint import assign_detector, detector_arrays
from nasnet_keras.detection.weights.detector_names import BOX_HEAD, CLASS_BIASES
from nasnet_keras.models.presets import PRESETS
from nasnet_keras.training.fine_tuning import describe_start, start_from
from nasnet_keras.training.run_directory import find_checkpoint, read_config, run_of
from nasnet_keras.weights.assign import LoadReport, MisfitError
from nasnet_keras.weights.catalogue import NAMES
from nasnet_keras.weights.keras_files import load_keras_model
from nasnet_keras.weights.pretrained import load_pretrained
from nasnet_keras.weights.slim_checkpoint import assign_slim
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE
from nasnet_keras.weights.sources import open_source
from nasnet_keras.weights.tensorflow_files import GRAPH_SUFFIX


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
        checkpoint_path: A classifier as `start_from` takes it, or the name of published weights of
            the network, e.g. `"imagenet"`; or a detector's run or `.keras` file; or one of the TF
            Object Detection API, see `load_detector_checkpoint`, of which
            `"coco:nasnet_large_1200"` is a published one.
        class_names: Names of the detector's classes, compared with those of the other detector's
            run. Default: only the number of classes is.

    Returns:
        A line that says what was set.

    Raises:
        OSError: There is no such checkpoint.
        ValueError: It is damaged or does not fit; nothing has changed.
    """
    text = os.fspath(detector_file(checkpoint_path))
    if is_original(text):
        return _from_original(model, text)
    path = Path(checkpoint_path)
    if holds_detector(path):
        return _from_detector(model, path, class_names)
    if text in NAMES:
        names = [name for name, p in PRESETS.items() if p.config == model.config.network]
        if not names:
            raise ValueError("there are no published weights of the detector's network")
        report = load_pretrained(model.network, names[0], text, include_top=False)
        return describe_start(report)
    return _without_heads(lambda scopes: start_from(model.network, checkpoint_path, scopes))


def _without_heads(load: Callable[[list[str]], LoadReport]) -> str:
    """Loads a classifier without its classifiers; the auxiliary one's scope it says itself."""
    try:
        return describe_start(load([CLASSIFIER_SCOPE]))
    except MisfitError as error:
        if not error.heads:
            raise
        scopes = list(dict.fromkeys([CLASSIFIER_SCOPE, *error.heads]))
    return describe_start(load(scopes))


def _from_original(model: FasterRCNN, path: str) -> str:
    """Starts from a detector or a classifier of the original's, which is opened once."""
    with open_source(path) as (source, found):
        if CLASS_BIASES not in found and not path.endswith(GRAPH_SUFFIX):
            return _without_heads(
                lambda scopes: assign_slim(
                    *(model.network, source, found),
                    use_moving_averages=None,
                    exclude_scopes=scopes,
                )
            )
        arrays, ignored = detector_arrays(found, source)
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
