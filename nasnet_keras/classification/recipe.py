"""Everything that fixes a training run, as data."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from nasnet_keras.genotypes import NetworkGenotype
from nasnet_keras.settings import (
    MOST_SIDE,
    Count,
    Decay,
    NonNegative,
    NonNegativeInt,
    Positive,
    Precision,
    Probability,
    Range,
    Seed,
    Settings,
    check_names,
    check_value,
)

Optimizer = Literal["rmsprop", "momentum", "sgd", "adam"]
LearningRateDecay = Literal["cosine", "exponential", "polynomial", "fixed"]
EarlyStopping = Literal["evaluation_accuracy", "evaluation_loss", "loss"]
DropPathVersion = Literal["v1", "v2", "v3"]

# Settings that only some values of another give a meaning to. One that is given without that
# meaning would be ignored in silence.
_ONLY_WITH = {
    "momentum": ("optimizer", ("momentum",)),
    "nesterov": ("optimizer", ("momentum",)),
    "rmsprop_momentum": ("optimizer", ("rmsprop",)),
    "rmsprop_decay": ("optimizer", ("rmsprop",)),
    "opt_epsilon": ("optimizer", ("rmsprop", "adam")),
    "learning_rate_decay_factor": ("learning_rate_decay_type", ("exponential",)),
    "num_epochs_per_decay": ("learning_rate_decay_type", ("exponential", "polynomial")),
    "end_learning_rate": ("learning_rate_decay_type", ("polynomial",)),
    "early_stopping_patience": ("early_stopping", typing.get_args(EarlyStopping)),
    "early_stopping_min_delta": ("early_stopping", typing.get_args(EarlyStopping)),
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
class Recipe(Settings):
    """A training run; each field is a flag of `train_image_classifier.py`, named as slim's.

    Names of datasets, networks, preprocessings and augmentations are checked where they are looked
    up, so that this module needs nothing but the standard library.

    Attributes:
        name: Its name.
        dataset_name: Dataset to train on.
        model_name: Network, a name of nasnet_keras.list_models().
        train_image_size: Side of the images the network sees, in pixels.
        preprocessing_name: How pixels are brought to the network's range.
        batch_size: Images in a training step of one replica.
        learning_rate: Learning rate at the start.
        epochs: Passes over the training images.
        max_number_of_steps: Training steps, instead of epochs.
        dataset_split_name: Split to train on.
        evaluation_split_name: Split to test on at the end.
        augmentation: Random changes to training images.
        exif_orientation: Turn the photographs of an image folder upright, as their EXIF orientation
            says; images in record files stay as stored.
        genotype: Cells or layers in place of the network's own: a genotype's JSON file, or a
            published name.
        num_cells: Normal cells.
        filters: Filters of the first cells.
        stem_filters: Filters of the stem.
        drop_path_keep_probability: Keep probability of paths at the end of training.
        drop_path_version: Drop path grows with the step (v1), with the depth (v2) or with both
            (v3).
        dropout: Fraction of the features dropped before the classifier.
        auxiliary_weight: Weight of the auxiliary head's loss; 0: no head.
        optimizer: rmsprop, momentum, sgd or adam.
        momentum: Momentum of the optimizer 'momentum'.
        nesterov: Whether that is Nesterov's.
        rmsprop_momentum: Momentum of rmsprop.
        rmsprop_decay: Fraction of rmsprop's mean square a step keeps.
        opt_epsilon: Epsilon of rmsprop (1 unless given) or adam (1e-7).
        moving_average_decay: Decay of the moving averages of the weights; 0: none are kept.
        learning_rate_decay_type: cosine (to 0 at the end), exponential (in stairs), polynomial (a
            straight line) or fixed.
        learning_rate_decay_factor: Factor of a stair of 'exponential'.
        num_epochs_per_decay: Epochs of a stair of 'exponential', or of the line of 'polynomial'.
        end_learning_rate: Where 'polynomial' ends.
        warmup_steps: Steps over which the learning rate grows in a straight line.
        replicas: Replicas of the published run, which trained in step.
        scale_learning_rate_by_replicas: The learning rate is a replica's: multiply it by the
            replicas of this run.
        weight_decay: L2 on the kernels: this times sum(w^2) / 2.
        label_smoothing: Fraction of a label spread over all classes.
        labels_offset: Subtracted from labels: 1 leaves out class 0, -1 adds a background class
            before the rest.
        class_weights: Weight of a class in the training loss, by its name; 1 where it has none.
        early_stopping: End the run when this value gets no better: evaluation_accuracy,
            evaluation_loss or loss. With evaluate_every_epochs, but for loss.
        early_stopping_patience: So many values in a row may be no better.
        early_stopping_min_delta: What is better by no more than this is not.
        gradient_clip_norm: Largest global norm of the gradients.
        gradient_accumulation_steps: Parts in which a replica's batch is computed, for less memory.
        precision: float32, mixed_bfloat16 or mixed_float16.
        synchronize_batch_norm: Normalize over the images of all replicas together; slim does not.
        steps_per_execution: Steps for each call of the backend.
        checkpoint_path: Weights to start from: a run directory, .keras, .weights.h5 or slim
            checkpoint.
        checkpoint_exclude_scopes: Scopes not to take from it, with commas between, e.g.
            final_layer,aux_7.
        ignore_missing_vars: Leave weights that the checkpoint does not have as they are.
        trainable_scopes: Scopes to train, with commas between; the rest stays as it is.
        freeze_batch_norm: Keep every batch normalization exactly as it is.
        seed: Seed of weights, order and augmentation.

    Raises:
        ValueError: A value is out of range, a name is unknown, or two values contradict each other.
    """

    _field_kind = "recipe setting"
    _most: ClassVar[dict[str, int]] = {"train_image_size": MOST_SIDE}

    name: str
    dataset_name: str
    model_name: str
    train_image_size: Count
    preprocessing_name: str
    batch_size: Count
    learning_rate: Positive
    epochs: Count
    max_number_of_steps: Count | None = None
    dataset_split_name: str = "train"
    evaluation_split_name: str = "test"
    augmentation: str = "none"
    exif_orientation: bool = True
    genotype: str | NetworkGenotype | None = None
    num_cells: Annotated[int, Range(2)] | None = None
    filters: Annotated[int, Range(2)] | None = None
    stem_filters: Count | None = None
    drop_path_keep_probability: Probability | None = None
    drop_path_version: DropPathVersion | None = None
    dropout: Decay | None = None
    auxiliary_weight: NonNegative = 0.4
    optimizer: Optimizer = "momentum"
    momentum: Decay = 0.9
    nesterov: bool = False
    rmsprop_momentum: Decay = 0.9
    rmsprop_decay: Decay = 0.9
    opt_epsilon: Positive | None = None
    moving_average_decay: Decay = 0.0
    learning_rate_decay_type: LearningRateDecay = "cosine"
    learning_rate_decay_factor: Positive = 0.94
    num_epochs_per_decay: Positive = 2.0
    end_learning_rate: NonNegative = 0.0001
    warmup_steps: NonNegativeInt = 0
    replicas: Count = 1
    scale_learning_rate_by_replicas: bool = False
    weight_decay: NonNegative = 0.0
    label_smoothing: Decay = 0.0
    labels_offset: Annotated[int, Range(-1)] = 0
    class_weights: Mapping[str, float] | None = None
    early_stopping: EarlyStopping | None = None
    early_stopping_patience: Count = 10
    early_stopping_min_delta: NonNegative = 0.0
    gradient_clip_norm: Positive | None = None
    gradient_accumulation_steps: Count = 1
    precision: Precision = "float32"
    synchronize_batch_norm: bool = False
    steps_per_execution: Count = 1
    checkpoint_path: str | None = None
    checkpoint_exclude_scopes: str | None = None
    ignore_missing_vars: bool = False
    trainable_scopes: str | None = None
    freeze_batch_norm: bool = False
    seed: Seed = 0

    def __post_init__(self) -> None:
        super().__post_init__()
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
        for name, weight in (self.class_weights or {}).items():
            check_value(f"class_weights: {name}", NonNegative, weight)
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
        check_names(Recipe, values)
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

    def with_cells(self) -> Recipe:
        """Returns the recipe with the genotype itself where it has its name or file.

        Raises:
            OSError: The file cannot be read.
            ValueError: The name is unknown, or the file holds no genotype.
        """
        if not isinstance(self.genotype, str):
            return self
        from nasnet_keras.genotypes import get_genotype

        return dataclasses.replace(self, genotype=get_genotype(self.genotype))

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
