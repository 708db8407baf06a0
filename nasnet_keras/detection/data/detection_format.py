"""What a format of images with boxes implements."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.split import Split, is_split_name
from nasnet_keras.data.sources.stratified import HELD_OUT
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.parts import divided, in_proportion


@dataclass(frozen=True)
class DetectionFormat(DatasetFormat):
    """A dataset of images with boxes that was found in one format, by its directory alone.

    A format implements `own_splits` and `read_split`. Where the only split has a name that says
    nothing of its use, `train`, `val` and `test` are made from it.

    Attributes:
        layout: What the directory of one holds.
        exif_orientation: Turn images upright, as their EXIF orientation says, where the size in
            their annotation allows it.
    """

    layout: ClassVar[str]

    exif_orientation: bool = True

    @abstractmethod
    def own_splits(self) -> Sequence[str]:
        """Returns the names of the splits in its files."""

    @abstractmethod
    def read_split(
        self, name: str, drop_invalid: bool = False, class_names: Sequence[str] | None = None
    ) -> DetectionIndex:
        """Reads one of the splits in its files.

        Args:
            name: A name of `own_splits`.
            drop_invalid: Leave out and count what is wrong.
            class_names: The classes in the order of the labels. Default: those of the dataset.

        Raises:
            OSError: A file is missing.
            ValueError: It is not in this format, or its boxes are all of other classes.
            AnnotationError: Something is wrong with the annotations or the images.
        """

    def splits(self) -> list[str]:
        own = list(self.own_splits())
        return ["train", *HELD_OUT, *own] if self._is_undivided(own) else own

    def disjoint_splits(self) -> list[str]:
        own = list(self.own_splits())
        # Pascal VOC lists train and val together once more.
        return [each for each in own if each != "trainval" or "train" not in own]

    def parse(self, split: str) -> Split:
        try:
            return super().parse(split)
        except ValueError as error:
            if self.splits() != ["train"] or split.partition("[")[0] == "train":
                raise
            raise ValueError(
                f"{error}; parts of it have every class in proportion: train[:80%] and train[80%:]"
            ) from None

    def read(
        self,
        split: Split,
        drop_invalid: bool = False,
        class_names: Sequence[str] | None = None,
        proportional: bool = True,
    ) -> DetectionIndex:
        """Reads a split that `parse` returned.

        Args:
            split: The split, or the part of one.
            drop_invalid: Leave out and count what is wrong.
            class_names: The classes in the order of the labels. Default: those of the dataset.
            proportional: Whether parts in percent have each class in proportion, or are consecutive
                images.

        Raises:
            OSError: A file is missing.
            ValueError: See `read_split`.
            AnnotationError: Something is wrong with the annotations or the images.
        """
        own = list(self.own_splits())
        if self._is_undivided(own) and split.name not in own:
            whole = self.read_split(own[0], drop_invalid, class_names)
            part = dataclasses.replace(divided(whole)[split.name], split=split.name)
            note = (
                f"{self.root.name} is not divided into splits: {split.name} has {len(part)} of its "
                f"{len(whole)} images, every class in proportion"
            )
            index = dataclasses.replace(part, notes=(*part.notes, note))
        else:
            index = self.read_split(split.name, drop_invalid, class_names)
        if proportional and "%" in f"{split.start}{split.stop}":
            return in_proportion(index, split)
        return split.of(index)

    @staticmethod
    def _is_undivided(own: Sequence[str]) -> bool:
        return len(own) == 1 and not is_split_name(own[0])
