"""How a classifier's run is carried out, where that does not change what is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from nasnet_keras.settings import NonNegativeInt
from nasnet_keras.training.backup_workers.options import BackupWorkerOptions
from nasnet_keras.training.run_options import CommonRunOptions


@dataclass(frozen=True)
class RunOptions(BackupWorkerOptions, CommonRunOptions):
    """Flags of `train_image_classifier.py` that may change when a run is continued.

    Attributes:
        dataset_dir: Directory of the datasets; the digits need none.
        download: Prepare a missing dataset with TensorFlow Datasets first.
        rematerialize: Compute the cells again on the way back, for less memory and more time.
        evaluate_every_epochs: Epochs between evaluations, of which best.keras is kept; 0: one at
            the end.
        allow_empty_classes: Whether a class of a folder of images may have none in a split.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    dataset_dir: str | None = None
    download: bool = False
    rematerialize: bool = False
    evaluate_every_epochs: NonNegativeInt = 0
    allow_empty_classes: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distribution != "ray":
            for field in dataclasses.fields(BackupWorkerOptions):
                if getattr(self, field.name) != field.default:
                    raise ValueError(
                        f"{field.name} is for distribution ray, not {self.distribution}"
                    )
