"""Temporary files of libraries, which a process that is killed cannot remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path

_PREFIX = "nasnet_keras-"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Within the block, temporary files of this process go to a directory of its own.

    Keras unpacks whole `.keras` files in the system's temporary directory, and TensorFlow writes
    the code there that it makes of functions. What a process that was killed has left, the next
    that comes here removes. The operating system keeps the lock that tells them apart.

    Yields:
        The directory.

    Raises:
        OSError: The system's temporary directory cannot be written to.
    """
    before = tempfile.tempdir
    place = Path(tempfile.gettempdir())
    _remove_those_of_the_dead(place)
    directory, lock = _locked_directory(place)
    tempfile.tempdir = os.fspath(directory)
    try:
        yield directory
    finally:
        tempfile.tempdir = before
        try:
            directory.rmdir()
            os.close(lock)
        except OSError:
            # Somebody's file; a thread of this process may still use it. At -100 multiprocessing
            # removes its own directory, and would complain if that were gone.
            kwargs = {"ignore_errors": True}
            Finalize(None, shutil.rmtree, (directory,), kwargs, exitpriority=-200)


def _locked_directory(place: Path) -> tuple[Path, int]:
    while True:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        # Until it is locked, another process may take it for a dead one's.
        try:
            lock = os.open(directory, os.O_RDONLY)
        except FileNotFoundError:
            continue
        _lock(lock, wait=True)
        if directory.exists():
            return directory, lock
        os.close(lock)


def _remove_those_of_the_dead(place: Path) -> None:
    for directory in place.glob(f"{_PREFIX}*"):
        # Another user's, or removed by another process meanwhile.
        with contextlib.suppress(OSError):
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if _lock(lock, wait=False):
                    shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)


def _lock(file: int, wait: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody's is removed there.
        return wait
    return True
