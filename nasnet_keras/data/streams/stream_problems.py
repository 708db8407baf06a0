"""What a stream does with an example that cannot be read, or whose label is none."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from absl import logging

SKIPPED_AT_MOST = 0.001


class NamedExamples(Protocol):
    """Examples that have names: `ExampleFiles`, or the index of a detection dataset."""

    @property
    def name(self) -> str:
        """Name of the dataset."""
        ...

    def __len__(self) -> int: ...

    def describe(self, file: int, record: int) -> str:
        """Returns the name of an example."""
        ...


class StreamProblems:
    """Counts and names the unreadable examples of a stream.

    In training, another readable example of the batch takes the place of an unreadable one, so that
    a step always reads the same positions and a resumed run sees the batches of an uninterrupted
    one. More than one example in a thousand is an error, and in evaluation one is.

    Attributes:
        skipped: Names of the examples skipped so far.
        classes: Number of classes.
        error: What ended the stream, if anything did. TensorFlow hands on errors with pages of its
            own; this is the line that a person needs.

    Args:
        files: Where the examples are.
        training: Whether examples may be skipped.
        labels_offset: What was subtracted from the labels.
        classes: Number of classes.
    """

    def __init__(
        self, files: NamedExamples, training: bool, labels_offset: int, classes: int
    ) -> None:
        self.skipped: set[str] = set()
        self.error: ValueError | None = None
        self._files = files
        self._training = training
        self._offset = labels_offset
        self.classes = classes

    def rows(
        self, readable: np.ndarray, labels: np.ndarray, files: np.ndarray, records: np.ndarray
    ) -> np.ndarray:
        """Says which examples of a batch to use, in place of those that cannot be.

        Args:
            readable: `(batch,)`, whether the example was read.
            labels: `(batch,)`, the offset subtracted.
            files: `(batch,)`, with `records` what `describe` of the files takes.
            records: `(batch,)`.

        Returns:
            `(batch,)`, int64: the number of an example of the batch for each place.

        Raises:
            ValueError: A label is out of range, or too many examples cannot be read.
        """
        try:
            return self._rows(readable, labels, files, records)
        except ValueError as error:
            # Batches read ahead may fail too, before anybody has seen the first failure.
            self.error = self.error or error
            raise

    def _rows(
        self, readable: np.ndarray, labels: np.ndarray, files: np.ndarray, records: np.ndarray
    ) -> np.ndarray:
        def name(row: Any) -> str:
            return self._files.describe(int(files[row]), int(records[row]))

        wrong = np.flatnonzero(readable & ((labels < 0) | (labels >= self.classes)))
        if wrong.size:
            offset = f" after labels_offset={self._offset}" if self._offset else ""
            raise ValueError(
                f"dataset {self._files.name}: {name(wrong[0])} has label {labels[wrong[0]]}"
                f"{offset}, but there are {self.classes} classes"
            )
        for row in np.flatnonzero(~readable):
            self._skip(name(row))
        usable = np.flatnonzero(readable)
        if not usable.size:
            raise ValueError(
                f"dataset {self._files.name}: no example of a batch can be read; the first is "
                f"{name(0)}"
            )
        rows = np.arange(len(readable))
        return np.where(readable, rows, usable[rows % usable.size])

    def _skip(self, name: str) -> None:
        what = f"dataset {self._files.name}: {name} is damaged or cut off"
        if not self._training:
            raise ValueError(what)
        if name in self.skipped:
            return  # Each epoch meets it again.
        self.skipped.add(name)
        if len(self.skipped) > SKIPPED_AT_MOST * len(self._files):
            raise ValueError(
                f"{what}: {len(self.skipped)} of {len(self._files)} examples cannot be read, and "
                f"at most {SKIPPED_AT_MOST:.1%} are skipped"
            )
        logging.warning("%s; skipped (%d so far)", what, len(self.skipped))
