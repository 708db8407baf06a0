"""Where the epochs of a run begin and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class RunLength:
    """The length of a run, in training steps.

    Attributes:
        epoch_steps: Steps of an epoch.
        total_steps: Steps of the run, which may end within an epoch.
    """

    epoch_steps: int
    total_steps: int

    def fits(self, step: int) -> Iterator[tuple[int, int, int]]:
        """Divides what is left into calls of `Model.fit`, whose epochs are of one length each.

        Args:
            step: Steps done.

        Yields:
            First epoch, the epoch after the last one, and the steps of each.
        """
        while step < self.total_steps:
            epoch, done = divmod(step, self.epoch_steps)
            whole = (self.total_steps - step) // self.epoch_steps
            if done or not whole:
                steps = min(self.epoch_steps - done, self.total_steps - step)
                yield epoch, epoch + 1, steps
                step += steps
            else:
                yield epoch, epoch + whole, self.epoch_steps
                step += whole * self.epoch_steps
