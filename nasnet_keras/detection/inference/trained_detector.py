"""A trained detector with what it takes to use it on a picture."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.training.checkpoint import read_training_state
from nasnet_keras.training.run_directory import CONFIG_NAME, find_checkpoint, run_of
from nasnet_keras.training.saved_network import load_model
from nasnet_keras.whole_files import written_whole


@dataclass(frozen=True)
class RunConfig:
    """The `config.json` of a detector's run.

    Attributes:
        training: The training, with the number of classes of the dataset.
        class_names: Names of the classes, in the order of the labels.
        category_ids: Their numbers in the dataset's own files.
        replicas: Replicas of the run, whose images together make a step.
        data: Digest of the images and boxes trained on, see `DetectionIndex.digest`.
    """

    training: TrainingConfig
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    replicas: int = 1
    data: str = ""

    def write(self, directory: Path) -> None:
        """Writes `config.json` into a run directory, whole or not at all."""
        values = {
            "training": self.training.to_dict(),
            "class_names": list(self.class_names),
            "category_ids": list(self.category_ids),
            "replicas": self.replicas,
            "data": self.data,
        }
        with written_whole(directory / CONFIG_NAME) as path:
            path.write_text(json.dumps(values, indent=2) + "\n")

    @classmethod
    def read(cls, directory: Path) -> RunConfig:
        """Reads the `config.json` of a run directory.

        Raises:
            FileNotFoundError: There is none.
            ValueError: It is damaged, or of no detector.
        """
        path = directory / CONFIG_NAME
        if not path.is_file():
            raise FileNotFoundError(2, "no such configuration of a detector's run", str(path))
        try:
            values: dict[str, Any] = json.loads(path.read_text())
            return cls(
                TrainingConfig.from_dict(values["training"]),
                tuple(values["class_names"]),
                tuple(values["category_ids"]),
                int(values["replicas"]),
                str(values["data"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not the configuration of a detector's run: {error}") from (
                None
            )


@dataclass(frozen=True, eq=False)
class TrainedDetector:
    """A detector and how pictures reach it.

    Attributes:
        model: The detector.
        config: The run that it is of.
        path: Its file.
        step: Training steps it has had, as far as is known.
    """

    model: FasterRCNN
    config: RunConfig
    path: Path
    step: int = 0


def load_trained_detector(
    path: str | os.PathLike[str], evaluation_proposals: int | None = None
) -> TrainedDetector:
    """Loads a trained detector.

    Args:
        path: A run directory, of which the best detector is taken, or the last where none was
            scored; or a `.keras` file in one.
        evaluation_proposals: Proposals to look at in an image, e.g. 50 for speed. Default: as
            trained.

    Returns:
        The detector and how to use it.

    Raises:
        OSError: There is no such file.
        ValueError: The file is truncated or no detector, or contradicts the `config.json` beside
            it.
    """
    path = find_checkpoint(path)
    directory = run_of(path) or path.parent
    config = RunConfig.read(directory)
    model = load_model(path)
    if not isinstance(model, FasterRCNN):
        raise ValueError(f"{path} is no detector: it holds a {type(model).__name__}")
    if model.config.classes != len(config.class_names):
        raise ValueError(
            f"{path} has {model.config.classes} classes, but {directory / CONFIG_NAME} names "
            f"{len(config.class_names)}"
        )
    if evaluation_proposals is not None:
        model.config = model.config.replace(evaluation_proposals=evaluation_proposals)
    state = read_training_state(path)
    return TrainedDetector(model, config, path, state.step if state else 0)
