"""What a format of images with boxes implements."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.split import Split
from nasnet_keras.detection.data.detection_index import DetectionIndex


class DetectionFormat(DatasetFormat):
    """A dataset of images with boxes that was found in one format, by its directory alone.

    Attributes:
        layout: What the directory of one holds.
    """

    layout: ClassVar[str]

    @abstractmethod
    def read(self, split: Split, drop_invalid: bool = False) -> DetectionIndex:
        """Reads a split that `parse` returned.

        Args:
            split: The split, or the part of one.
            drop_invalid: Leave out and count what is wrong.

        Raises:
            OSError: A file is missing.
            AnnotationError: Something is wrong with the annotations or the images.
        """
