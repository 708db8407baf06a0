"""A labelled set of images that fits in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """One split of an image-classification dataset.

    Attributes:
        name: Name of the dataset, e.g. `"digits"`.
        split: Name of the split, e.g. `"train"`.
        images: `(n, height, width, 3)`, uint8.
        labels: `(n,)`, int64, indices into `class_names`.
        class_names: Names of the classes.

    Raises:
        ValueError: The arrays do not fit together, or a label is out of range.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[3] != 3 or self.images.dtype != np.uint8:
            raise ValueError(
                f"dataset {self.name}: images are uint8 (n, height, width, 3), got "
                f"{self.images.dtype} {self.images.shape}"
            )
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"dataset {self.name}: {len(self.images)} images, labels {self.labels.shape}"
            )
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.class_names)))
        if wrong.size:
            raise ValueError(
                f"dataset {self.name}: image {wrong[0]} of {self.split} has label "
                f"{self.labels[wrong[0]]}, but there are {len(self.class_names)} classes"
            )

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, stop: int) -> ImageDataset:
        """Returns the images from `start` to before `stop`."""
        return replace(self, images=self.images[start:stop], labels=self.labels[start:stop])
