"""How a run is carried out, where that does not change what is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from nasnet_keras.suggestions import unknown_name

# As in `strategy`, which imports Keras; this module needs nothing but the standard library.
DISTRIBUTIONS = ("none", "mirrored", "multiworker")


def _value(help_text: str, **kwargs: Any) -> Any:
    """A field with the line that `--help` shows for the flag of its name."""
    return dataclasses.field(metadata={"help": help_text}, **kwargs)


@dataclass(frozen=True)
class RunOptions:
    """Flags of `train_image_classifier.py` that may change when a run is continued.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    dataset_dir: str | None = _value(
        "Directory of the datasets; the digits need none.", default=None
    )
    download: bool = _value(
        "Prepare a missing dataset with TensorFlow Datasets first.", default=False
    )
    distribution: str = _value(
        "none; mirrored: all accelerators of this machine; multiworker: the machines of TF_CONFIG.",
        default="none",
    )
    jit_compile: bool | None = _value(
        "Compile the step with XLA, or not; unset: as Keras decides for the backend.", default=None
    )
    rematerialize: bool = _value(
        "Compute the cells again on the way back, for less memory and more time.", default=False
    )
    save_interval_secs: float = _value(
        "Seconds between checkpoints within an epoch.", default=600.0
    )
    keep_checkpoints: int = _value(
        "Checkpoints of epochs to keep in checkpoints/; 0: model.keras alone.", default=0
    )
    evaluate_every_epochs: int = _value(
        "Epochs between evaluations, of which best.keras is kept; 0: one at the end.", default=0
    )
    log_every_n_steps: int = _value("Steps between lines for TensorBoard.", default=100)
    tensorboard: bool = _value("Write TensorBoard's files to tensorboard/.", default=True)

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(unknown_name("distribution", self.distribution, DISTRIBUTIONS))
        for field, least in (
            ("save_interval_secs", 0),
            ("keep_checkpoints", 0),
            ("evaluate_every_epochs", 0),
            ("log_every_n_steps", 1),
        ):
            if not getattr(self, field) >= least:
                raise ValueError(f"{field} is at least {least}, got {getattr(self, field)}")
