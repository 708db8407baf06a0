"""Which image files were found to be sound: a cache by path, size and time of change."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from absl import logging

from nasnet_keras.files.keras_home import keras_home

_TABLE = (
    "CREATE TABLE IF NOT EXISTS sound (path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, "
    "height INTEGER, width INTEGER, digest BLOB) WITHOUT ROWID"
)
_SECONDS_FOR_OTHERS = 10
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """What the check found of an image file.

    Attributes:
        problem: What is wrong with it; empty if nothing is.
        height: Its height in pixels, as decoded.
        width: Its width.
        digest: Digest of the file's content.
    """

    problem: str = ""
    height: int = 0
    width: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file is still the one that was checked.

    Attributes:
        size: Its size in bytes.
        changed: When it or its owner and rights last changed, in nanoseconds: a copy that keeps
            the time of the original is a change too.
    """

    size: int
    changed: int


def cache_path() -> Path:
    """Returns the file of the cache, in Keras's directory for such."""
    return keras_home() / "nasnet_keras" / "checked_images.sqlite"


def stamp_of(path: str) -> Stamp | None:
    """Returns the stamp of a file, `None` where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return Stamp(status.st_size, max(status.st_mtime_ns, status.st_ctime_ns))


class CheckedFiles:
    """The cache. It only saves time: where it cannot be read or written, it is empty.

    Several processes may use it at once, and one may be killed at any time. What is not sound is
    not remembered, so that it is always looked at again.

    Args:
        path: Its file; a damaged one is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            logging.info("%s is not used: %s", path, error)

    def known(self, stamps: Mapping[str, Stamp]) -> dict[str, CheckedImage]:
        """Returns those of these files that were found to be sound and have not changed since.

        Args:
            stamps: The files by their absolute paths.
        """
        names = list(stamps)
        found: dict[str, CheckedImage] = {}
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._execute(
                f"SELECT * FROM sound WHERE path IN ({marks})", [os.fsencode(name) for name in part]
            )
            for name, size, changed, height, width, digest in rows:
                path = os.fsdecode(name)
                if stamps[path] == Stamp(size, changed):
                    found[path] = CheckedImage("", height, width, digest)
        return found

    def remember(self, images: Mapping[str, tuple[Stamp, CheckedImage]]) -> None:
        """Adds files that are sound; each by its absolute path and the stamp before it was read."""
        for path, (stamp, image) in images.items():
            values = (os.fsencode(path), stamp.size, stamp.changed)
            self._execute(
                "INSERT OR REPLACE INTO sound VALUES (?, ?, ?, ?, ?, ?)",
                [*values, image.height, image.width, image.digest],
            )
        if self._connection is not None:
            try:
                self._connection.commit()
            except sqlite3.Error as error:
                self._give_up(error)

    def close(self) -> None:
        """Closes the file."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._path.unlink()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_SECONDS_FOR_OTHERS)
        try:
            # A process that is killed loses nothing; a power failure at worst the cache.
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_TABLE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _execute(self, command: str, values: list) -> list[tuple]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(command, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: sqlite3.Error) -> None:
        logging.info("%s is not used any more: %s", self._path, error)
        self.close()
        self._connection = None
