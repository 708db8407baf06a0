"""How a detector's run is carried out, where that does not change what is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from nasnet_keras.suggestions import unknown_name
from nasnet_keras.training.run_options import DISTRIBUTIONS


def _value(help_text: str, **kwargs: Any) -> Any:
    """A field with the line that `--help` shows for the flag of its name."""
    return dataclasses.field(metadata={"help": help_text}, **kwargs)


@dataclass(frozen=True)
class DetectorRunOptions:
    """Flags of `object_detection/train.py` that may change when a run is continued.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    checkpoint_path: str | None = _value(
        "Weights to start from: a classifier of the same network (a run, .keras, .weights.h5, .h5, "
        "slim checkpoint, or 'imagenet'), or a detector (a run or .keras).",
        default=None,
    )
    drop_invalid: bool = _value("Go on without the images and boxes that are wrong.", default=False)
    distribution: str = _value(
        "none; mirrored: all accelerators of this machine; multiworker: the machines of TF_CONFIG.",
        default="none",
    )
    jit_compile: bool | None = _value(
        "Compile the step with XLA, or not; unset: on JAX only.", default=None
    )
    save_interval_secs: float = _value(
        "Seconds between checkpoints within an epoch.", default=600.0
    )
    keep_checkpoints: int = _value(
        "Checkpoints of epochs to keep in checkpoints/; 0: model.keras alone.", default=0
    )
    log_every_n_steps: int = _value("Steps between lines for TensorBoard.", default=100)
    tensorboard: bool = _value("Write TensorBoard's files to tensorboard/.", default=True)

    def __post_init__(self) -> None:
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(unknown_name("distribution", self.distribution, DISTRIBUTIONS))
        for field, least in (
            ("save_interval_secs", 0),
            ("keep_checkpoints", 0),
            ("log_every_n_steps", 1),
        ):
            if not getattr(self, field) >= least:
                raise ValueError(f"{field} is at least {least}, got {getattr(self, field)}")
