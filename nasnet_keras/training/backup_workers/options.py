"""How many workers a step needs and has, and what each of them gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.settings import Count, NonNegative, NonNegativeInt, Settings


@dataclass(frozen=True)
class BackupWorkerOptions(Settings):
    """Flags of a training whose steps are computed on Ray.

    Attributes:
        num_workers: ray: workers whose gradients make a step, each of batch_size images.
        backup_workers: ray: workers beyond those; the last gradients of a step are dropped.
        missing_workers: ray: where fewer than num_workers are left for a time, wait for others; or
            go_on: those left compute more than one share of a step.
        ray_address: ray: a cluster, e.g. auto or 10.0.0.1:6379. Default: this machine.
        cpus_per_worker: ray: cores of a worker.
        gpus_per_worker: ray: accelerators of a worker, or a fraction of one, e.g. 0.25.

    Raises:
        ValueError: A value is out of range, or there are more backups than workers.
    """

    num_workers: Count | None = None
    backup_workers: NonNegativeInt = 0
    missing_workers: Literal["wait", "go_on"] = "wait"
    ray_address: str | None = None
    cpus_per_worker: NonNegative = 1.0
    gpus_per_worker: NonNegative = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_workers is not None and self.backup_workers > self.num_workers:
            raise ValueError(
                f"backup_workers is at most num_workers ({self.num_workers}), got "
                f"{self.backup_workers}"
            )
        if self.gpus_per_worker > 1 and self.gpus_per_worker != int(self.gpus_per_worker):
            raise ValueError(
                "gpus_per_worker is a fraction of one accelerator or a whole number, got "
                f"{self.gpus_per_worker}"
            )
