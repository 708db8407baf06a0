"""What a stream does with unreadable or invalid examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from absl import logging

from nasnet_keras.data.check.unreadable import DAMAGED, unreadable_example
from nasnet_keras.data.sources.example_files import Examples

_SECONDS_FOR_OTHERS = 30
SKIPPED_AT_MOST = 0.001


class StreamProblems:
    """Counts and names the unreadable examples of a stream.

    In training, another example of the batch replaces an unreadable record, so that a step always
    reads the same positions. More than one in a thousand is an error; in evaluation one is. So is
    any file of one's own, which can be mended or left out: the error names all that are like it.

    Attributes:
        skipped: Names of the examples skipped so far.
        error: What ended the stream, if anything did, without TensorFlow's traceback.

    Args:
        examples: The examples.
        training: Whether examples may be skipped.
    """

    def __init__(self, examples: Examples, training: bool) -> None:
        self.skipped: set[str] = set()
        self.error: ValueError | None = None
        self._examples = examples
        self._training = training

    def rows(self, readable: np.ndarray, wrong: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Returns which examples of a batch to use in place of unreadable ones.

        Args:
            readable: `(batch,)`, whether the example was read.
            wrong: `(batch,)`, bytes: what is wrong with it, empty where nothing is.
            indices: `(batch,)`, which example it is.

        Returns:
            `(batch,)`, int64: the row of the batch for each place.

        Raises:
            ValueError: Something is wrong with an example, or too many cannot be read.
        """
        try:
            return self._rows(readable, wrong, indices)
        except ValueError as error:
            # Batches read ahead may fail too, before the first error is seen.
            self.error = self.error or error
            raise

    def _rows(self, readable: np.ndarray, wrong: np.ndarray, indices: np.ndarray) -> np.ndarray:
        def name(row: Any) -> str:
            return self._examples.describe(int(indices[row]))

        bad = np.flatnonzero(readable & (wrong != b""))
        if bad.size:
            raise ValueError(
                f"dataset {self._examples.name}: {name(bad[0])} {bytes(wrong[bad[0]]).decode()}"
            )
        for row in np.flatnonzero(~readable):
            self._skip(int(indices[row]))
        usable = np.flatnonzero(readable)
        if not usable.size:
            raise ValueError(
                f"dataset {self._examples.name}: no example of a batch can be read; the first is "
                f"{name(0)}"
            )
        rows = np.arange(len(readable))
        return np.where(readable, rows, usable[rows % usable.size])

    def _skip(self, index: int) -> None:
        if self._examples.own_files() or not self._training:
            raise unreadable_example(self._examples, index, _SECONDS_FOR_OTHERS)
        name = self._examples.describe(index)
        what = f"dataset {self._examples.name}: {name} {DAMAGED}"
        if name in self.skipped:
            return  # Each epoch meets it again.
        self.skipped.add(name)
        if len(self.skipped) > SKIPPED_AT_MOST * len(self._examples):
            raise ValueError(
                f"{what}: {len(self.skipped)} of {len(self._examples)} examples cannot be read, "
                f"and at most {SKIPPED_AT_MOST:.1%} are skipped"
            )
        logging.warning("%s; skipped (%d so far)", what, len(self.skipped))
