"""Files and directories that are there complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from nasnet_keras.files.input_files import check_file

# A quota and a limit on the size of files are full disks as well.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Of libraries that write by themselves, and say so in their own errors.
_FULL_TEXTS = tuple(map(os.strerror, FULL))


def make_directory(path: str | os.PathLike[str]) -> Path:
    """Makes a directory that files can be written to, its parents too.

    Args:
        path: The directory; it may exist.

    Returns:
        The directory.

    Raises:
        OSError: It cannot be made or written to.
    """
    directory = Path(path)
    _check_kind(directory, directory=True)
    directory.mkdir(parents=True, exist_ok=True)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(13, "cannot be written to", str(directory))
    return directory


def missing_folders(path: str | os.PathLike[str]) -> list[Path]:
    """Returns which of a directory and its parents are missing, the innermost first."""
    directory = Path(path).absolute()
    return [each for each in (directory, *directory.parents) if not os.path.lexists(each)]


def remove_empty(folders: Iterable[Path]) -> None:
    """Removes directories, the innermost first, up to one that is not empty."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def check_can_write(path: str | os.PathLike[str], directory: bool = False) -> None:
    """Refuses a file or directory that could not be made, and makes nothing.

    Args:
        path: What will be written; neither it nor its parents need exist.
        directory: Whether it will be a directory.

    Raises:
        OSError: It is a directory, pipe or device and will be a file, or it will be a directory
            and is none; or its nearest existing ancestor is no directory or cannot be written to.
    """
    _check_kind(Path(path), directory)
    folder = Path(path).absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(20, "is a file, not a directory", str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "cannot be written to", str(folder))


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary name to write to, and renames it once everything is written.

    A reader sees the old file or the new one, never a part; if writing fails, the old one stays.
    The temporary name keeps the suffix, by which writers choose a format. It is on the same disk,
    because a rename across disks copies.

    Args:
        path: The file, or the directory; its parents are made. What is there already is replaced: a
            file by a file, a directory by a directory.

    Yields:
        The temporary path, which does not exist yet.

    Raises:
        OSError: It cannot be written, or a file would replace a directory or a directory a file.
    """
    target = Path(path)
    made = missing_folders(target.parent)
    make_directory(target.parent)
    temporary = target.with_name(f".{target.stem}.partial{target.suffix}")
    _remove(temporary)
    try:
        with naming(target):
            yield temporary
        _check_kind(target, temporary.is_dir())
        if target.is_dir():
            # A directory cannot be renamed over one with files in it: the old one steps aside
            # first and goes last, so that a kill in between loses neither.
            old = target.with_name(f".{target.stem}.old{target.suffix}")
            _remove(old)
            os.replace(target, old)
            os.replace(temporary, target)
            _remove(old)
        else:
            os.replace(temporary, target)
    finally:
        _remove(temporary)
        # Where nothing came of it, they are empty.
        remove_empty(made)


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within the block, an error of writing names the file, also where its writer does not say it.

    Args:
        path: The file that is written.

    Raises:
        OSError: It cannot be written, or the disk is full.
    """
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            number = error.errno if isinstance(error, OSError) else None
            number = number if number in FULL else errno.ENOSPC
            raise OSError(number, os.strerror(number), os.fspath(path)) from error
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def is_disk_full(error: BaseException) -> bool:
    """Returns whether an error says that a disk is full, also in the words of a library."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return any(text in str(error) for text in _FULL_TEXTS)


def _check_kind(path: Path, directory: bool) -> None:
    """Refuses a directory in the place of a file, and what is no directory in that of one."""
    if directory and path.exists() and not path.is_dir():
        raise NotADirectoryError(20, "is a file, not a directory", str(path))
    if not directory and path.exists():
        # To replace a pipe or a device would take it from those who use it.
        check_file(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
