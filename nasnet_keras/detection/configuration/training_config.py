"""Everything that fixes the training of a detector, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.modeling.config import MOVED_TO_TRAINING, DetectorConfig
from nasnet_keras.settings import (
    Count,
    NonNegative,
    NonNegativeInt,
    Positive,
    Precision,
    Seed,
    Settings,
    hints,
)
from nasnet_keras.text.suggestions import unknown_name


@dataclass(frozen=True)
class TrainingConfig(Settings):
    """A detector and how it is trained; a run keeps it in its `config.json`.

    Attributes:
        name: Its name.
        detector: The detector. The dataset decides the number of its classes.
        steps: Training steps.
        batch_size: Images in a step of one replica.
        optimizer: `"momentum"`, or `"adam"`, which does not use `momentum`.
        momentum: Momentum of the optimizer.
        gradient_clip_norm: Largest norm of a variable's gradient.
        learning_rate: Learning rate at the start.
        learning_rate_decay_type: `"steps"`: at `learning_rate_boundaries`; or `"cosine"`: one
            period to 0 over the run.
        learning_rate_boundaries: Steps at which it is multiplied by `learning_rate_decay_factor`.
        learning_rate_decay_factor: See there.
        warmup_steps: Steps over which the learning rate rises linearly.
        keep_aspect: Resize both sides of an image by the same factor and pad; otherwise stretch.
        exif_orientation: Turn images upright, as their EXIF orientation says, unless they are
            annotated as stored; TFDS's records are always as stored.
        augmentation: Random changes of training images.
        class_names: The classes in the order of the labels; none: those of the dataset, in Pascal
            VOC's format those found in the split to train on.
        dataset_split_name: Split to train on.
        evaluation_split_name: Split to score on.
        evaluate_every_epochs: Epochs between evaluations, of which the best detector is kept;
            0: one at the end.
        precision: Keras's dtype policy of the layers.
        seed: Seed of the weights, the order of the images, their augmentation and the sampling of
            anchors and proposals.

    Raises:
        ValueError: A value is out of range or unknown, or two contradict each other.
    """

    called = "a training configuration"
    _field_kind = "training setting"

    name: str
    detector: DetectorConfig
    steps: Count
    batch_size: Count = 1
    optimizer: Literal["momentum", "adam"] = "momentum"
    momentum: NonNegative = 0.9
    gradient_clip_norm: Positive = 10.0
    learning_rate: Positive = 3e-4
    learning_rate_decay_type: Literal["steps", "cosine"] = "steps"
    learning_rate_boundaries: tuple[Count, ...] = (900_000, 1_200_000)
    learning_rate_decay_factor: Positive = 0.1
    warmup_steps: NonNegativeInt = 0
    keep_aspect: bool = False
    exif_orientation: bool = True
    augmentation: DetectionAugmentation = dataclasses.field(default_factory=DetectionAugmentation)
    class_names: tuple[str, ...] = ()
    dataset_split_name: str = "train"
    evaluation_split_name: str = "val"
    evaluate_every_epochs: NonNegativeInt = 1
    precision: Precision = "float32"
    seed: Seed = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        boundaries = self.learning_rate_boundaries
        if list(boundaries) != sorted(set(boundaries)):
            raise ValueError(f"learning_rate_boundaries is rising steps, got {boundaries!r}")
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps={self.warmup_steps} is not below steps={self.steps}: the learning "
                "rate would never be reached"
            )
        network = self.detector.network
        if network.drop_path_keep_probability < 1 and network.drop_path_total_steps != self.steps:
            # Its schedule is as long as the run.
            network = network.replace(drop_path_total_steps=self.steps)
            object.__setattr__(self, "detector", self.detector.replace(network=network))

    def override(self, **values: Any) -> TrainingConfig:
        """Returns a copy with some values replaced.

        Args:
            **values: Fields of this class or of `DetectorConfig`, and their new values. With fewer
                classes, `detections` is lowered to what they can give, and in a run that is shorter
                than the warm-up, that is a tenth of it; unless they are given.

        Raises:
            ValueError: A name is not a field (the nearest is suggested), or a value is invalid.
        """
        own, inner = hints(TrainingConfig), hints(DetectorConfig)
        for name in values:
            if name not in own and name not in inner:
                raise ValueError(unknown_name(self._field_kind, name, (*own, *inner)))
        changes = {name: value for name, value in values.items() if name in inner}
        if "classes" in changes and "detections" not in changes:
            per_class = changes.get("detections_per_class", self.detector.detections_per_class)
            most = changes["classes"] * per_class
            changes["detections"] = min(self.detector.detections, most)
        kept = {name: value for name, value in values.items() if name in own}
        steps = values.get("steps")
        if isinstance(steps, int) and 0 < steps <= self.warmup_steps:
            kept.setdefault("warmup_steps", steps // 10)
        if changes:
            kept["detector"] = kept.get("detector", self.detector).replace(**changes)
        return dataclasses.replace(self, **kept)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingConfig:
        """Reads what `to_dict` returned, in this version or an earlier one.

        Raises:
            ValueError: A name is unknown or missing, or a value is invalid.
        """
        detector = data.get("detector") if isinstance(data, Mapping) else None
        if isinstance(detector, Mapping):
            # What the training has itself, such as the one seed, counts.
            moved = {name: detector.get(name) for name in MOVED_TO_TRAINING}
            moved = {name: value for name, value in moved.items() if value is not None}
            data = {**moved, **data}
        return super().from_dict(data)
