"""The journal of a search: one event a line, on disk before it is acted on."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# Closes every line: CRC-32 of the lines so far, this one without it included. So a line that was
# changed, lost or moved is noticed, and not only one that is no JSON any more.
_CHECK = b',"check":"%08x"}\n'
_CHECK_SIZE = len(_CHECK % 0)


class Place(NamedTuple):
    """A place between two events of a journal.

    Attributes:
        offset: Bytes before it.
        check: Running check of these bytes.
        line: Lines before it.
    """

    offset: int = 0
    check: int = 0
    line: int = 0


class JournalError(ValueError):
    """A journal is damaged, or tells what cannot have happened; names the line."""


def read_journal(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], Place]]:
    """Reads events one by one; of the file, no more than a line is in memory.

    A last line that has no end was being written when the machine or the process died. Nothing had
    been done about it yet, so it is left out.

    Args:
        path: The journal; one that does not exist has no events.

    Yields:
        An event, and the place after it.

    Raises:
        JournalError: Any other line is not as it was written.
        OSError: The file cannot be read.
    """
    place = Place()
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below.
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            body = line[:-_CHECK_SIZE]
            check = zlib.crc32(body, place.check)
            if line[-_CHECK_SIZE:] != _CHECK % check:
                raise JournalError(
                    f"{os.fspath(path)}: line {place.line + 1} is damaged, or lines before it are "
                    "missing"
                )
            place = Place(place.offset + len(line), check, place.line + 1)
            yield json.loads(body + b"}"), place


class Journal:
    """Appends events to a file; to be used as a context manager.

    Args:
        path: The file; it is made where it does not exist.
        place: Its end as `read_journal` gave it; what is after it, a line cut short, is cut off.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], place: Place | None = None) -> None:
        self.place = place or Place()
        self._file = open(path, "ab")  # noqa: SIM115 - closed by `close`.
        self._waiting: list[bytes] = []
        directory = os.open(Path(path).parent, os.O_RDONLY)
        try:
            # A new file is there after a power cut only if its directory is on disk as well.
            os.fsync(directory)
        finally:
            os.close(directory)
        self._file.truncate(self.place.offset)

    def append(self, event: str, **values: Any) -> dict[str, Any]:
        """Adds an event, which is on disk after the next `flush`.

        Args:
            event: Its kind.
            **values: JSON-ready values.

        Returns:
            The event as `read_journal` will give it.
        """
        record = {"event": event, "time": round(time.time(), 3), **values}
        body = json.dumps(record, allow_nan=False, separators=(",", ":")).encode()[:-1]
        check = zlib.crc32(body, self.place.check)
        line = body + _CHECK % check
        self._waiting.append(line)
        self.place = Place(self.place.offset + len(line), check, self.place.line + 1)
        return record

    def flush(self) -> None:
        """Returns when all events are on disk."""
        if self._waiting:
            self._file.write(b"".join(self._waiting))
            self._waiting.clear()
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Writes what waits and closes the file."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
