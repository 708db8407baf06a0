"""Everything that fixes the training of a detector, as data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.suggestions import unknown_name

OPTIMIZERS = ("momentum", "adam")
LEARNING_RATE_DECAYS = ("steps", "cosine")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
_WHOLE = {
    "steps": 1,
    "batch_size": 1,
    "warmup_steps": 0,
    "evaluate_every_epochs": 0,
    "seed": 0,
}


@dataclass(frozen=True)
class TrainingConfig:
    """A detector and how it is trained; a run keeps it in its `config.json`.

    Attributes:
        name: Its name.
        detector: The detector. The dataset decides the number of its classes.
        steps: Training steps.
        batch_size: Images in a step of one replica.
        optimizer: `"momentum"`, or `"adam"`, which `detector.momentum` does not concern.
        learning_rate_decay_type: `"steps"`: at `detector.learning_rate_boundaries`; or `"cosine"`:
            one period to 0 over the whole run.
        warmup_steps: Steps over which the learning rate grows in a straight line.
        keep_aspect: Resize both sides of an image by the same factor and pad; otherwise stretch.
        augmentation: Random changes of training images.
        dataset_split_name: Split to train on.
        evaluation_split_name: Split to score on.
        evaluate_every_epochs: Epochs between evaluations, of which the best detector is kept;
            0: one at the end.
        precision: Keras's dtype policy of the layers.
        seed: Seed of the weights, the order of the images and their random changes.

    Raises:
        ValueError: A value is out of range or unknown, or two contradict each other.
    """

    name: str
    detector: DetectorConfig
    steps: int
    batch_size: int = 1
    optimizer: str = "momentum"
    learning_rate_decay_type: str = "steps"
    warmup_steps: int = 0
    keep_aspect: bool = False
    augmentation: DetectionAugmentation = dataclasses.field(default_factory=DetectionAugmentation)
    dataset_split_name: str = "train"
    evaluation_split_name: str = "val"
    evaluate_every_epochs: int = 1
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for field, allowed in (
            ("optimizer", OPTIMIZERS),
            ("learning_rate_decay_type", LEARNING_RATE_DECAYS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, field) not in allowed:
                raise ValueError(unknown_name(field, getattr(self, field), allowed))
        for field, least in _WHOLE.items():
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{field} is a whole number of at least {least}, got {value!r}")
        if not isinstance(self.keep_aspect, bool):
            raise ValueError(f"keep_aspect is true or false, got {self.keep_aspect!r}")
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
            **values: Fields of this class or of `DetectorConfig`, and their new values. A number of
                classes takes the number of detections with it where those would be too many.

        Raises:
            ValueError: A name is no field; the nearest one is suggested. Or a value is illegal.
        """
        own = [field.name for field in dataclasses.fields(self)]
        inner = [field.name for field in dataclasses.fields(DetectorConfig)]
        # Both have one; a run has one.
        inner.remove("seed")
        for name in values:
            if name not in (*own, *inner):
                raise ValueError(unknown_name("training setting", name, (*own, *inner)))
        changes = {name: value for name, value in values.items() if name in inner}
        if "classes" in changes and "detections" not in changes:
            per_class = changes.get("detections_per_class", self.detector.detections_per_class)
            most = changes["classes"] * per_class
            changes["detections"] = min(self.detector.detections, most)
        kept = {name: value for name, value in values.items() if name in own}
        if changes:
            kept["detector"] = kept.get("detector", self.detector).replace(**changes)
        return dataclasses.replace(self, **kept)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        augmentation = dataclasses.asdict(self.augmentation)
        values["augmentation"] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in augmentation.items()
        }
        values["detector"] = self.detector.to_dict()
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainingConfig:
        """Reads what `to_dict` returned.

        Raises:
            ValueError: A name is unknown or missing, or a value is illegal.
        """
        values = dict(data)
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(unknown_name("training setting", name, known))
        for name in ("name", "detector", "steps"):
            if name not in values:
                raise ValueError(f"a training configuration has {name!r}")
        values["detector"] = DetectorConfig.from_dict(values["detector"])
        augmentation = dict(values.get("augmentation", {}))
        fields = [field.name for field in dataclasses.fields(DetectionAugmentation)]
        for name, value in augmentation.items():
            if name not in fields:
                raise ValueError(unknown_name("augmentation setting", name, fields))
            augmentation[name] = tuple(value) if isinstance(value, list) else value
        return cls(**{**values, "augmentation": DetectionAugmentation(**augmentation)})

    def differences(self, other: TrainingConfig) -> list[str]:
        """Returns what differs from another one, as `"field: theirs, now ours"`."""
        ours, theirs = _flat(self.to_dict()), _flat(other.to_dict())
        return [
            f"{name} was {theirs.get(name)!r}, now {ours.get(name)!r}"
            for name in sorted({*ours, *theirs})
            if not _same(ours.get(name), theirs.get(name))
        ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    result = {}
    for name, value in values.items():
        # The cells of a network are no setting that a line could show.
        if isinstance(value, Mapping) and name != "genotype":
            result |= _flat(value, f"{prefix}{name}.")
        else:
            result[prefix + name] = value
    return result


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12)
    return ours == theirs
