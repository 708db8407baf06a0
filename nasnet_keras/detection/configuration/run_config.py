"""What a detector's run is: its `config.json`."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.settings import Count, Settings


@dataclass(frozen=True)
class RunConfig(Settings):
    """The `config.json` of a detector's run.

    Attributes:
        training: The training, with the number of classes of the dataset.
        class_names: Names of the classes, in the order of the labels.
        category_ids: Their ids in the dataset's own files.
        replicas: Replicas of the run, whose images together make a step.
        data: Digest of the images and boxes trained on, see `DetectionIndex.digest`.
        proportional_parts: Whether parts of a split in percent have every class in proportion, see
            `load_detection_index`; in runs of earlier versions they are consecutive images.
    """

    called = "the configuration of a detector's run"

    training: TrainingConfig
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    replicas: Count = 1
    data: str = ""
    proportional_parts: bool = False
