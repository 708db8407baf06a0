"""What is published of a trained network: itself, its run's settings and what the run wrote."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

from nasnet_keras.classification.run_config import RunConfig as ClassifierRun
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.detection.configuration.run_config import RunConfig as DetectorRun
from nasnet_keras.detection.evaluation.coco_metrics import METRICS_NAME
from nasnet_keras.detection.inference.trained_detector import (
    holds_detector,
    is_original,
    load_trained_detector,
)
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.files.input_files import read_text
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.models.inference import inference_model
from nasnet_keras.text.plain_text import shown
from nasnet_keras.training.log import LOG_NAME, read_log
from nasnet_keras.training.run_directory import BEST_NAME, find_checkpoint, read_config, run_of
from nasnet_keras.weights.catalogue import named_weights

Kind = Literal["classifier", "detector"]
_SCORES = {"classifier": "results.json", "detector": METRICS_NAME}
_SCORED = "evaluation_"
_PICTURES = ("confusion.png", "curves.png")


@dataclass(frozen=True, eq=False)
class Publication:
    """A trained network and what is known of it.

    Attributes:
        model: The network, its weights their moving averages where the run kept those.
        kind: What it finds: a class for each picture, or boxes in it.
        network: Name of the network, of a detector that of its features.
        image_size: Height and width of its images in pixels, `None` for any.
        config: Its run, if there is one; no folder of this machine is in it.
        scores: What the run's last evaluation wrote, `{}` if there was none.
        epochs: The run's log.
        pictures: Pictures that the run wrote.
    """

    model: keras.Model
    kind: Kind
    network: str
    image_size: tuple[int, int] | None
    config: ClassifierRun | DetectorRun | None = None
    scores: dict[str, Any] = dataclasses.field(default_factory=dict)
    epochs: tuple[dict[str, Any], ...] = ()
    pictures: tuple[Path, ...] = ()


def publication_of(run_or_model: Any) -> Publication:
    """Collects what is published of a run or of a network.

    Args:
        run_or_model: A run directory or `.keras` file, or a network of this package.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated or damaged, or no run and no network of this package.
    """
    if isinstance(run_or_model, keras.Model):
        return _of_model(run_or_model)
    if not isinstance(run_or_model, str | os.PathLike):
        raise ValueError(
            f"expected a run directory, a .keras file or a keras.Model, got {shown(run_or_model)}"
        )
    if named_weights(run_or_model) or is_original(run_or_model):
        raise ValueError(
            f"{os.fspath(run_or_model)} is neither a run directory nor a .keras file; weights that "
            "others published are not sent on: send what you trained from them"
        )
    path = find_checkpoint(run_or_model)
    is_detector = holds_detector(path)
    found = _of_detector(run_or_model) if is_detector else _of_classifier(run_or_model)
    run = run_of(path)
    if run is None:
        return found
    epochs = read_log(run / LOG_NAME) if (run / LOG_NAME).is_file() else []
    scores = _read_scores(run / _SCORES[found.kind])
    if is_detector and path.name == BEST_NAME:
        scores |= _best_scores(epochs)
    return dataclasses.replace(
        found,
        scores=scores,
        epochs=tuple(epochs),
        pictures=tuple(run / name for name in _PICTURES if (run / name).is_file()),
    )


def _of_model(model: keras.Model) -> Publication:
    if isinstance(model, FasterRCNN):
        return Publication(model, "detector", _features(model), _sides(model.config.image_size))
    inference_model(model)
    height, width = model.input_shape[1:3]
    return Publication(model, "classifier", model.name, (height, width) if height else None)


def _of_classifier(path: str | os.PathLike[str]) -> Publication:
    trained = load_trained_model(path)
    run = run_of(find_checkpoint(path, prefer_best=False))
    config = read_config(ClassifierRun, run) if run else None
    if config and config.recipe.checkpoint_path:
        start = Path(config.recipe.checkpoint_path).name
        config = config.replace(recipe=config.recipe.replace(checkpoint_path=start))
    size = (trained.image_size, trained.image_size)
    return Publication(trained.model, "classifier", trained.model.name, size, config)


def _of_detector(path: str | os.PathLike[str]) -> Publication:
    trained = load_trained_detector(path)
    model = trained.model
    return Publication(model, "detector", _features(model), trained.image_size, trained.config)


def _features(model: FasterRCNN) -> str:
    return f"Faster R-CNN on {model.config.network.genotype.name}"


def _sides(size: Any) -> tuple[int, int]:
    height, width = size
    return height, width


def _best_scores(epochs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns those of the best detector, where the run's last evaluation is of its last one."""
    scored = [epoch for epoch in epochs if f"{_SCORED}AP" in epoch]
    best = max(scored, key=lambda epoch: epoch[f"{_SCORED}AP"], default={})
    return {
        name.removeprefix(_SCORED): value
        for name, value in best.items()
        if name.startswith(_SCORED)
    }


def _read_scores(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        scores = parse_json(read_text(path))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(scores, dict):
        raise ValueError(f"{path} does not hold the scores of a run")
    return scores
