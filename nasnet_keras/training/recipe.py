"""Everything that fixes a training run, as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from nasnet_keras.suggestions import unknown_name

OPTIMIZERS = ("momentum", "sgd", "adam")
LEARNING_RATE_DECAYS = ("cosine", "fixed")

# What the network's own preset decides unless a recipe does.
_NETWORK_FIELDS = ("num_cells", "filters", "stem_filters", "drop_path_keep_probability", "dropout")


def _value(help_text: str, **kwargs: Any) -> Any:
    """A field with the line that `--help` shows for the flag of its name."""
    return dataclasses.field(metadata={"help": help_text}, **kwargs)


@dataclass(frozen=True)
class Recipe:
    """A training run; each field is a flag of `train_image_classifier.py`, named as slim's.

    Names of datasets, networks, preprocessings and augmentations are checked where they are looked
    up, so that this module needs nothing but the standard library.

    Raises:
        ValueError: A value is out of range, a name is unknown, or two values contradict each other.
    """

    name: str
    dataset_name: str = _value("Dataset to train on.")
    model_name: str = _value("Network, a name of nasnet_keras.list_models().")
    train_image_size: int = _value("Side of the images the network sees, in pixels.")
    preprocessing_name: str = _value("How pixels are brought to the network's range.")
    batch_size: int = _value("Images in a training step.")
    learning_rate: float = _value("Learning rate at the start.")
    epochs: int = _value("Passes over the training images.")
    max_number_of_steps: int | None = _value("Training steps, instead of epochs.", default=None)
    augmentation: str = _value("Random changes to training images.", default="none")
    num_cells: int | None = _value("Normal cells.", default=None)
    filters: int | None = _value("Filters of the first cells.", default=None)
    stem_filters: int | None = _value("Filters of the stem.", default=None)
    drop_path_keep_probability: float | None = _value(
        "Keep probability of paths at the end of training.", default=None
    )
    dropout: float | None = _value(
        "Share of the features dropped before the classifier.", default=None
    )
    auxiliary_weight: float = _value(
        "Weight of the auxiliary head's loss; 0: no head.", default=0.4
    )
    optimizer: str = _value("momentum, sgd or adam.", default="momentum")
    momentum: float = _value("Momentum of the optimizer 'momentum'.", default=0.9)
    learning_rate_decay_type: str = _value("cosine (to 0 at the end) or fixed.", default="cosine")
    weight_decay: float = _value("L2 on the kernels: this times sum(w^2) / 2.", default=0.0)
    label_smoothing: float = _value("Share of a label spread over all classes.", default=0.0)
    gradient_clip_norm: float | None = _value("Largest global norm of the gradients.", default=None)
    seed: int = _value("Seed of weights, order and augmentation.", default=0)

    def __post_init__(self) -> None:
        for field, allowed in (
            ("optimizer", OPTIMIZERS),
            ("learning_rate_decay_type", LEARNING_RATE_DECAYS),
        ):
            if getattr(self, field) not in allowed:
                raise ValueError(unknown_name(field, getattr(self, field), allowed))
        for field in ("train_image_size", "batch_size", "epochs", "max_number_of_steps"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} is at least 1, got {value}")
        for field in ("learning_rate", "gradient_clip_norm"):
            value = getattr(self, field)
            if value is not None and not value > 0:
                raise ValueError(f"{field} is above 0, got {value}")
        for field in ("weight_decay", "auxiliary_weight", "seed"):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{field} is at least 0, got {getattr(self, field)}")
        for field in ("label_smoothing", "momentum"):
            if not 0 <= getattr(self, field) < 1:
                raise ValueError(f"{field} is in [0, 1), got {getattr(self, field)}")

    def override(self, **values: Any) -> Recipe:
        """Returns a copy with some values replaced.

        Args:
            **values: Fields and their new values.

        Raises:
            ValueError: A name is no field, a value is illegal, or two of the new values contradict
                each other.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        for name in values:
            if name not in fields:
                raise ValueError(unknown_name("recipe setting", name, fields))
        if "epochs" in values and "max_number_of_steps" in values:
            raise ValueError(
                f"epochs={values['epochs']} and "
                f"max_number_of_steps={values['max_number_of_steps']} contradict each other: both "
                "say how long to train"
            )
        result = dataclasses.replace(self, **values)
        if "momentum" in values and result.optimizer != "momentum":
            raise ValueError(
                f"momentum={result.momentum} contradicts optimizer={result.optimizer}, which has "
                "none"
            )
        if "epochs" in values:
            result = dataclasses.replace(result, max_number_of_steps=None)
        return result

    def network_overrides(self) -> dict[str, Any]:
        """Returns the fields of `NetworkConfig` that the recipe decides."""
        values = {name: getattr(self, name) for name in _NETWORK_FIELDS}
        return {name: value for name, value in values.items() if value is not None}

    def total_steps(self, steps_per_epoch: int) -> int:
        """Returns the length of the run in training steps."""
        return self.max_number_of_steps or self.epochs * steps_per_epoch

    def differences(self, other: dict[str, Any]) -> list[str]:
        """Returns the fields whose value in `other` differs, as `"field: theirs, now ours"`."""
        mine = dataclasses.asdict(self)
        names = [name for name in mine if mine[name] != other.get(name)]
        return [f"{name} was {other.get(name)!r}, now {mine[name]!r}" for name in names]
