"""How a run is carried out, where that does not change what is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.settings import Count, NonNegative, NonNegativeInt, Positive, Settings

DistributionName = Literal["none", "mirrored", "multiworker", "ray"]


@dataclass(frozen=True)
class CommonRunOptions(Settings):
    """Flags of every training program that may change when a run is continued.

    Attributes:
        distribution: none; mirrored: all accelerators of this machine; multiworker: the machines of
            TF_CONFIG; ray: workers on a Ray cluster, with backups.
        worker_timeout_secs: Seconds to wait for other machines or workers to start.
        jit_compile: Compile the step with XLA, or not; unset: as Keras decides for the backend.
        save_interval_secs: Seconds between checkpoints within an epoch.
        keep_checkpoints: Checkpoints of epochs to keep in checkpoints/; 0: model.keras alone.
        log_every_n_steps: Steps between lines for TensorBoard.
        tensorboard: Write TensorBoard's files to tensorboard/.
        check_secs: Seconds to spend before training on decoding your own image files; the run is
            refused if one cannot be. 0: none.
        drop_invalid: Decode all of them, and go on without those that cannot be.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    _field_kind = "run option"

    distribution: DistributionName = "none"
    worker_timeout_secs: Positive = 600.0
    jit_compile: bool | None = None
    save_interval_secs: NonNegative = 600.0
    keep_checkpoints: NonNegativeInt = 0
    log_every_n_steps: Count = 100
    tensorboard: bool = True
    check_secs: NonNegative = 30.0
    drop_invalid: bool = False
