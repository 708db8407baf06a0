"""One writer a directory: whoever writes to it holds its lock, readers take none."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nasnet_keras.files.atomic_files import make_directory, missing_folders, remove_empty
from nasnet_keras.text.plain_text import say

LOCK_NAME = "lock"
_PAUSES = (0.0, 0.05, 0.1, 0.2)
# NFS without a lock service, and file systems that have no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def locked(directory: str | os.PathLike[str], wait: bool = False) -> Iterator[None]:
    """Within the block, no other process that asks for the lock writes to the directory.

    The operating system keeps the lock and gives it up when the process dies, however that
    happens; the file `lock` only says who holds it. Over NFS the server keeps it, for all machines.
    Where the file system has no locks, a warning says so and nothing keeps a second process out.

    Args:
        directory: The directory; made if need be with its parents, which are taken away again if
            they are still empty.
        wait: Waits for another process that holds the lock, which a line on standard error says;
            otherwise it is an error.

    Raises:
        OSError: It cannot be written to.
        ValueError: Another process holds the lock; the message says which.
    """
    made = missing_folders(directory)
    path = make_directory(directory) / LOCK_NAME
    with contextlib.ExitStack() as closing:
        try:
            file = closing.enter_context(_acquired(path, wait))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            warnings.warn(
                f"{directory}: this file system has no locks ({error.strerror}), so nothing keeps "
                "a second process from writing there",
                stacklevel=3,
            )
        else:
            _describe(file)
        try:
            yield
        finally:
            # While it is held: whoever waits for it then finds another file there, or none.
            path.unlink(missing_ok=True)
            remove_empty(made)


@contextlib.contextmanager
def locked_output(path: str | os.PathLike[str], wait: bool = False) -> Iterator[None]:
    """As `locked`, for a file or directory that is replaced as a whole: its lock lies beside it.

    Args:
        path: What will be written.
        wait: As in `locked`.

    Raises:
        OSError: The directory that it is in cannot be written to.
        ValueError: Another process is writing it.
    """
    path = Path(path).absolute()
    directory = path.with_name(f".{path.name}.lock")
    try:
        with locked(directory, wait):
            yield
    finally:
        # Who waited for another process made it anew, or found it.
        with contextlib.suppress(OSError):
            directory.rmdir()


def is_locked(directory: str | os.PathLike[str]) -> bool:
    """Returns whether a process holds the lock of a directory; changes nothing there.

    Raises:
        OSError: It cannot be told.
    """
    import fcntl

    try:
        with open(Path(directory) / LOCK_NAME, "rb") as file:
            return not _lock(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _acquired(path: Path, wait: bool) -> Iterator[IO[str]]:
    import fcntl

    for count, pause in enumerate(
        itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]) if wait else ())
    ):
        if count == len(_PAUSES):
            what = path.parent.name.removeprefix(".").removesuffix(".lock")
            say(f"waiting for {_holder(path)}, which is writing {what}", file=sys.stderr)
        # Who asks whether it is held, or is about to give it up, has it for an instant.
        time.sleep(pause)
        # Whoever held it may just have taken the directory away.
        make_directory(path.parent)
        try:
            file = open(path, "a+")  # noqa: SIM115
        except FileNotFoundError:
            continue
        with file:
            if _lock(file, fcntl.LOCK_EX) and _is_at(file, path):
                yield file
                return
    raise ValueError(f"{path.parent} is being written by {_holder(path)}: wait for it, or end it")


def _lock(file: IO, kind: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: IO, path: Path) -> bool:
    """Returns whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _describe(file: IO[str]) -> None:
    """Says who holds the lock, if there is room on the disk."""
    with contextlib.suppress(OSError):
        os.truncate(file.fileno(), 0)
        os.write(file.fileno(), json.dumps(_this_process()).encode())


def _this_process() -> dict[str, object]:
    program = Path(sys.argv[0])
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": program.parent.name if program.stem == "__main__" else program.name,
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _holder(path: Path) -> str:
    try:
        process = json.loads(path.read_text())
        return "process {pid} ({command}) on {host} since {since}".format(**process)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"
