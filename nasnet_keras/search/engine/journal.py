"""The journal of a search: one event a line, on disk before it is acted on."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nasnet_keras.files.atomic_files import naming
from nasnet_keras.files.input_files import check_file
from nasnet_keras.files.json_text import parse_json

# Ends every line: CRC-32 of all lines up to this one, checksums left out. So a line that was
# changed, lost or moved is noticed, not only one that is not JSON any more.
_CHECK = b',"check":"%08x"}\n'
_CHECK_SIZE = len(_CHECK % 0)


class Place(NamedTuple):
    """A position between two events of a journal.

    Attributes:
        offset: Bytes before it.
        check: Running checksum of these bytes.
        line: Lines before it.
    """

    offset: int = 0
    check: int = 0
    line: int = 0


class JournalError(ValueError):
    """A journal is damaged, or its events are impossible; names the line."""


def read_journal(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], Place]]:
    """Reads events one by one, with one line in memory at a time.

    An incomplete last line was being written when the process died. Nothing had acted on it yet, so
    it is dropped.

    Args:
        path: The journal; a missing one has no events.

    Yields:
        An event, and the position after it.

    Raises:
        JournalError: Any other line is damaged.
        OSError: The file cannot be read.
    """
    place = Place()
    try:
        check_file(path)
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
            try:
                event = parse_json(body + b"}")
            except ValueError as error:
                raise JournalError(f"{os.fspath(path)}: line {place.line}: {error}") from None
            yield event, place


class Journal:
    """Appends events to a file; a context manager.

    Args:
        path: The file; created if missing.
        place: Its end, from `read_journal`; an incomplete line after it is truncated.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], place: Place | None = None) -> None:
        self.place = place or Place()
        self._file = open(path, "ab")  # noqa: SIM115 - closed by `close`.
        self._waiting: list[bytes] = []
        directory = os.open(Path(path).parent, os.O_RDONLY)
        try:
            # A new file survives a power cut only if its directory entry is on disk as well.
            os.fsync(directory)
        finally:
            os.close(directory)
        self._file.truncate(self.place.offset)

    def append(self, event: str, **values: Any) -> dict[str, Any]:
        """Adds an event with JSON-ready values, which is on disk after the next `flush`.

        Returns:
            The event as `read_journal` will return it.
        """
        record = {"event": event, "time": round(time.time(), 3), **values}
        body = json.dumps(record, allow_nan=False, separators=(",", ":")).encode()[:-1]
        check = zlib.crc32(body, self.place.check)
        line = body + _CHECK % check
        self._waiting.append(line)
        self.place = Place(self.place.offset + len(line), check, self.place.line + 1)
        return record

    def flush(self) -> None:
        """Writes all pending events to disk."""
        if self._waiting:
            with naming(self._file.name):
                self._file.write(b"".join(self._waiting))
                self._waiting.clear()
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Writes pending events and closes the file."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
