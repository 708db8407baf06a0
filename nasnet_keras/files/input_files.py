"""Files that a user names: nothing that a program would wait on for ever is opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def check_file(path: str | os.PathLike[str]) -> None:
    """Refuses what is no file: opening a pipe waits for who writes to it, a device may never end.

    Args:
        path: What is to be read; links are followed.

    Raises:
        OSError: There is nothing of that name, or it is a directory, pipe, socket or device.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "is a directory, not a file", os.fspath(path))
    if not stat.S_ISREG(mode):
        kind = "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
        raise OSError(22, f"is a {kind}, not a file", os.fspath(path))


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Returns what is in a file.

    Raises:
        OSError: It cannot be read, or is no file, see `check_file`.
    """
    check_file(path)
    return Path(path).read_bytes()


def read_text(path: str | os.PathLike[str]) -> str:
    """Returns the text of a file in UTF-8.

    Raises:
        OSError: It cannot be read, or is no file, see `check_file`.
        UnicodeDecodeError: It is not UTF-8.
    """
    check_file(path)
    return Path(path).read_text(encoding="utf-8")
