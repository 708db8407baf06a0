"""Everything that fixes a training run, as data."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from nasnet_keras.suggestions import unknown_name
from nasnet_keras.training.flag_field import flag_field

OPTIMIZERS = ("rmsprop", "momentum", "sgd", "adam")
LEARNING_RATE_DECAYS = ("cosine", "exponential", "polynomial", "fixed")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DROP_PATH_VERSIONS = ("v1", "v2", "v3")

# Settings that only some values of another give a meaning to. One that is given without that
# meaning would be ignored in silence.
_ONLY_WITH = {
    "momentum": ("optimizer", ("momentum",)),
    "rmsprop_momentum": ("optimizer", ("rmsprop",)),
    "rmsprop_decay": ("optimizer", ("rmsprop",)),
    "opt_epsilon": ("optimizer", ("rmsprop", "adam")),
    "learning_rate_decay_factor": ("learning_rate_decay_type", ("exponential",)),
    "num_epochs_per_decay": ("learning_rate_decay_type", ("exponential", "polynomial")),
    "end_learning_rate": ("learning_rate_decay_type", ("polynomial",)),
}

# What the network's own preset decides unless a recipe does.
_NETWORK_FIELDS = (
    "num_cells",
    "filters",
    "stem_filters",
    "drop_path_keep_probability",
    "drop_path_version",
    "dropout",
)


@dataclass(frozen=True)
class Recipe:
    """A training run; each field is a flag of `train_image_classifier.py`, named as slim's.

    Names of datasets, networks, preprocessings and augmentations are checked where they are looked
    up, so that this module needs nothing but the standard library.

    Raises:
        ValueError: A value is out of range, a name is unknown, or two values contradict each other.
    """

    name: str
    dataset_name: str = flag_field("Dataset to train on.")
    model_name: str = flag_field("Network, a name of nasnet_keras.list_models().")
    train_image_size: int = flag_field("Side of the images the network sees, in pixels.")
    preprocessing_name: str = flag_field("How pixels are brought to the network's range.")
    batch_size: int = flag_field("Images in a training step of one replica.")
    learning_rate: float = flag_field("Learning rate at the start.")
    epochs: int = flag_field("Passes over the training images.")
    max_number_of_steps: int | None = flag_field("Training steps, instead of epochs.", default=None)
    dataset_split_name: str = flag_field("Split to train on.", default="train")
    evaluation_split_name: str = flag_field("Split to test on at the end.", default="test")
    augmentation: str = flag_field("Random changes to training images.", default="none")
    genotype: str | None = flag_field(
        "Cells in place of the network's own: a genotype's JSON file, or a published name.",
        default=None,
    )
    num_cells: int | None = flag_field("Normal cells.", default=None)
    filters: int | None = flag_field("Filters of the first cells.", default=None)
    stem_filters: int | None = flag_field("Filters of the stem.", default=None)
    drop_path_keep_probability: float | None = flag_field(
        "Keep probability of paths at the end of training.", default=None
    )
    drop_path_version: str | None = flag_field(
        "Drop path grows with the step (v1), with the depth (v2) or with both (v3).", default=None
    )
    dropout: float | None = flag_field(
        "Share of the features dropped before the classifier.", default=None
    )
    auxiliary_weight: float = flag_field(
        "Weight of the auxiliary head's loss; 0: no head.", default=0.4
    )
    optimizer: str = flag_field("rmsprop, momentum, sgd or adam.", default="momentum")
    momentum: float = flag_field("Momentum of the optimizer 'momentum'.", default=0.9)
    rmsprop_momentum: float = flag_field("Momentum of rmsprop.", default=0.9)
    rmsprop_decay: float = flag_field("Share of rmsprop's mean square a step keeps.", default=0.9)
    opt_epsilon: float | None = flag_field(
        "Epsilon of rmsprop (1 unless given) or adam (1e-7).", default=None
    )
    moving_average_decay: float = flag_field(
        "Decay of the moving averages of the weights; 0: none are kept.", default=0.0
    )
    learning_rate_decay_type: str = flag_field(
        "cosine (to 0 at the end), exponential (in stairs), polynomial (a straight line) or fixed.",
        default="cosine",
    )
    learning_rate_decay_factor: float = flag_field(
        "Factor of a stair of 'exponential'.", default=0.94
    )
    num_epochs_per_decay: float = flag_field(
        "Epochs of a stair of 'exponential', or of the line of 'polynomial'.", default=2.0
    )
    end_learning_rate: float = flag_field("Where 'polynomial' ends.", default=1e-4)
    warmup_steps: int = flag_field(
        "Steps over which the learning rate grows in a straight line.", default=0
    )
    replicas: int = flag_field("Replicas of the published run, which trained in step.", default=1)
    scale_learning_rate_by_replicas: bool = flag_field(
        "The learning rate is a replica's: multiply it by the replicas of this run.", default=False
    )
    weight_decay: float = flag_field("L2 on the kernels: this times sum(w^2) / 2.", default=0.0)
    label_smoothing: float = flag_field("Share of a label spread over all classes.", default=0.0)
    labels_offset: int = flag_field(
        "Subtracted from labels: 1 leaves out class 0, -1 adds a background class before the rest.",
        default=0,
    )
    gradient_clip_norm: float | None = flag_field(
        "Largest global norm of the gradients.", default=None
    )
    gradient_accumulation_steps: int = flag_field(
        "Parts in which a replica's batch is computed, for less memory.", default=1
    )
    precision: str = flag_field("float32, mixed_bfloat16 or mixed_float16.", default="float32")
    synchronize_batch_norm: bool = flag_field(
        "Normalize over the images of all replicas together; slim does not.", default=False
    )
    steps_per_execution: int = flag_field("Steps for each call of the backend.", default=1)
    checkpoint_path: str | None = flag_field(
        "Weights to start from: a run directory, .keras, .weights.h5 or slim checkpoint.",
        default=None,
    )
    checkpoint_exclude_scopes: str | None = flag_field(
        "Scopes not to take from it, with commas between, e.g. final_layer,aux_11.", default=None
    )
    ignore_missing_vars: bool = flag_field(
        "Leave weights that the checkpoint does not have as they are.", default=False
    )
    trainable_scopes: str | None = flag_field(
        "Scopes to train, with commas between; the rest stays as it is.", default=None
    )
    freeze_batch_norm: bool = flag_field(
        "Keep every batch normalization exactly as it is.", default=False
    )
    seed: int = flag_field("Seed of weights, order and augmentation.", default=0)

    def __post_init__(self) -> None:
        for field, allowed in (
            ("optimizer", OPTIMIZERS),
            ("learning_rate_decay_type", LEARNING_RATE_DECAYS),
            ("drop_path_version", (None, *DROP_PATH_VERSIONS)),
            ("precision", PRECISIONS),
        ):
            if getattr(self, field) not in allowed:
                names = [name for name in allowed if name]
                raise ValueError(unknown_name(field, getattr(self, field), names))
        for field in (
            "train_image_size",
            "batch_size",
            "epochs",
            "max_number_of_steps",
            "replicas",
            "gradient_accumulation_steps",
            "steps_per_execution",
        ):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} is at least 1, got {value}")
        for field in (
            "learning_rate",
            "gradient_clip_norm",
            "opt_epsilon",
            "learning_rate_decay_factor",
            "num_epochs_per_decay",
        ):
            value = getattr(self, field)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{field} is a number above 0, got {value}")
        for field in (
            "weight_decay",
            "auxiliary_weight",
            "seed",
            "end_learning_rate",
            "warmup_steps",
        ):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{field} is at least 0, got {getattr(self, field)}")
        for field in (
            "label_smoothing",
            "momentum",
            "rmsprop_momentum",
            "rmsprop_decay",
            "moving_average_decay",
        ):
            if not 0 <= getattr(self, field) < 1:
                raise ValueError(f"{field} is in [0, 1), got {getattr(self, field)}")

        if self.labels_offset < -1:
            raise ValueError(f"labels_offset is at least -1, got {self.labels_offset}")
        if self.batch_size % self.gradient_accumulation_steps:
            raise ValueError(
                f"gradient_accumulation_steps={self.gradient_accumulation_steps} does not divide "
                f"batch_size={self.batch_size}"
            )
        total = self.max_number_of_steps
        if total and total % self.steps_per_execution:
            raise ValueError(
                f"steps_per_execution={self.steps_per_execution} does not divide "
                f"max_number_of_steps={total}"
            )
        if not self.checkpoint_path:
            for field in ("checkpoint_exclude_scopes", "ignore_missing_vars"):
                if getattr(self, field):
                    raise ValueError(
                        f"{field}={getattr(self, field)} says what to take from a checkpoint, and "
                        "there is no checkpoint_path"
                    )

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
        for name, (field, meaning) in _ONLY_WITH.items():
            if name in values and getattr(result, field) not in meaning:
                raise ValueError(
                    f"{name}={values[name]} contradicts {field}={getattr(result, field)}: it is "
                    f"for {' and '.join(meaning)}"
                )
        if "epochs" in values:
            result = dataclasses.replace(result, max_number_of_steps=None)
        return result

    def network_overrides(self) -> dict[str, Any]:
        """Returns the fields of `NetworkConfig` that the recipe decides."""
        values = {name: getattr(self, name) for name in _NETWORK_FIELDS}
        return {name: value for name, value in values.items() if value is not None}

    def epoch_steps(self, batches: int) -> int:
        """Returns the training steps of an epoch: its batches, in whole executions."""
        if batches < self.steps_per_execution:
            raise ValueError(
                f"steps_per_execution={self.steps_per_execution} is more than the {batches} steps "
                "of an epoch"
            )
        return batches // self.steps_per_execution * self.steps_per_execution

    def total_steps(self, epoch_steps: int) -> int:
        """Returns the length of the run in training steps."""
        return self.max_number_of_steps or self.epochs * epoch_steps

    def differences(self, other: dict[str, Any]) -> list[str]:
        """Returns the fields whose value in `other` differs, as `"field: theirs, now ours"`."""
        mine = dataclasses.asdict(self)
        # A setting newer than the run had its default then.
        theirs = {field.name: field.default for field in dataclasses.fields(self)} | other
        names = [name for name in mine if mine[name] != theirs[name]]
        return [f"{name} was {theirs[name]!r}, now {mine[name]!r}" for name in names]
