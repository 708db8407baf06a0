"""How long a search has run, in all calls together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.settings import NonNegative, Settings, read_settings, write_settings

_SAVE_SECONDS = 10.0


@dataclass(frozen=True)
class Spent(Settings):
    """The `clock.json` of a search.

    Attributes:
        seconds: Time that its calls have taken together.
    """

    called = "the clock of a search"

    seconds: NonNegative


class SearchClock:
    """Counts the time of a search; a kill loses ten seconds of it at most.

    Args:
        path: The file.
        before: Seconds that the search has taken, where an earlier version wrote no file.
        max_hours: When the time is up; `None`: never.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged.
    """

    def __init__(self, path: Path, before: float, max_hours: float | None) -> None:
        self._path = path
        self._before = read_settings(Spent, path).seconds if path.exists() else before
        self._limit = None if max_hours is None else max_hours * 3600
        self._began = self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time so far."""
        return self._before + time.monotonic() - self._began

    @property
    def is_up(self) -> bool:
        """Whether the time is up."""
        return self._limit is not None and self.seconds >= self._limit

    def seconds_left(self, most: float) -> float:
        """Returns the time that is left, or `most` where that is less."""
        return most if self._limit is None else max(0.0, min(most, self._limit - self.seconds))

    def tick(self) -> None:
        """Saves the time now and then."""
        if time.monotonic() - self._saved >= _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Saves the time.

        Raises:
            OSError: The file cannot be written.
        """
        self._saved = time.monotonic()
        write_settings(Spent(round(self.seconds, 3)), self._path)
