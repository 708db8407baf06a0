"""How a run is carried out, where that does not change what is trained."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.suggestions import unknown_name
from nasnet_keras.training.flag_field import flag_field

# As in `strategy`, which imports Keras; this module needs nothing but the standard library.
DISTRIBUTIONS = ("none", "mirrored", "multiworker")
_LEAST = {
    "save_interval_secs": 0,
    "keep_checkpoints": 0,
    "evaluate_every_epochs": 0,
    "log_every_n_steps": 1,
}


@dataclass(frozen=True)
class CommonRunOptions:
    """Flags of every training program that may change when a run is continued.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    distribution: str = flag_field(
        "none; mirrored: all accelerators of this machine; multiworker: the machines of TF_CONFIG.",
        default="none",
    )
    jit_compile: bool | None = flag_field(
        "Compile the step with XLA, or not; unset: as Keras decides for the backend.", default=None
    )
    save_interval_secs: float = flag_field(
        "Seconds between checkpoints within an epoch.", default=600.0
    )
    keep_checkpoints: int = flag_field(
        "Checkpoints of epochs to keep in checkpoints/; 0: model.keras alone.", default=0
    )
    log_every_n_steps: int = flag_field("Steps between lines for TensorBoard.", default=100)
    tensorboard: bool = flag_field("Write TensorBoard's files to tensorboard/.", default=True)

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(unknown_name("distribution", self.distribution, DISTRIBUTIONS))
        for field, least in _LEAST.items():
            value = getattr(self, field, least)
            if not value >= least:
                raise ValueError(f"{field} is at least {least}, got {value}")


@dataclass(frozen=True)
class RunOptions(CommonRunOptions):
    """Flags of `train_image_classifier.py` that may change when a run is continued.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    dataset_dir: str | None = flag_field(
        "Directory of the datasets; the digits need none.", default=None
    )
    download: bool = flag_field(
        "Prepare a missing dataset with TensorFlow Datasets first.", default=False
    )
    rematerialize: bool = flag_field(
        "Compute the cells again on the way back, for less memory and more time.", default=False
    )
    evaluate_every_epochs: int = flag_field(
        "Epochs between evaluations, of which best.keras is kept; 0: one at the end.", default=0
    )
