"""Which files below a folder are images, and what is left out and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nasnet_keras.data.image_reader import SUFFIXES

HIDDEN = "hidden"
OTHER_SUFFIX = "of another suffix"
DANGLING = "links to nothing"
CIRCULAR = "links to a folder that is read already"
NOT_UTF8 = "with names that are not UTF-8"
SPECIAL = "pipes, sockets or devices"
# Thumbnails and waste of macOS, Synology, Windows and Linux, in folders without a leading dot.
_OF_SYSTEMS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
_SUFFIXES_SHOWN = 4


@dataclass
class ImageListing:
    """The images below a folder.

    Attributes:
        paths: The images, sorted.
        left_out: What else is there, and the constant of this module that says why it is no image.
            A folder that is left out is there once, for all that is in it.
    """

    paths: list[Path] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def list_images(folder: str | os.PathLike[str]) -> ImageListing:
    """Lists the images below a folder by their suffixes, in lower or upper case; opens none.

    Links are followed. A folder is one whatever its name. An empty file is an image, though one
    that cannot be decoded.

    Args:
        folder: The folder.

    Raises:
        OSError: A folder cannot be read.
    """
    result, seen = ImageListing(), set()
    folders, links = [Path(folder)], []
    while folders or links:
        # Links last: what the folder itself holds is not to be named by a way around.
        current = folders.pop() if folders else links.pop(0)
        status = os.stat(current)
        if (status.st_dev, status.st_ino) in seen:
            result.left_out.append((current, CIRCULAR))
            continue
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(current) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                path = Path(entry.path)
                if reason := _why_not(entry):
                    result.left_out.append((path, reason))
                elif not entry.is_dir():
                    result.paths.append(path)
                else:
                    (links if entry.is_symlink() else folders).append(path)
    result.paths.sort()
    result.left_out.sort()
    return result


def subfolders(folder: Path) -> list[Path]:
    """Returns the folders in a folder, sorted, without those that are hidden or not in UTF-8."""
    if not folder.is_dir():
        return []
    usable = (each for each in folder.iterdir() if is_utf8(each.name) and not is_hidden(each.name))
    return sorted(each for each in usable if each.is_dir())


def is_hidden(name: str) -> bool:
    """Returns whether a file or folder is hidden by its name, or an operating system's own."""
    return name.startswith(".") or name in _OF_SYSTEMS


def is_utf8(name: str) -> bool:
    """Returns whether a name can be written as UTF-8, which TensorFlow and JSON need."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def summary(left_out: Iterable[tuple[Path, str]]) -> str:
    """Returns how many files were left out for which reason, e.g. `"2 hidden, 1 links to nothing"`.

    Args:
        left_out: As in `ImageListing`.
    """
    left_out = list(left_out)
    suffixes = Counter(path.suffix.lower() for path, why in left_out if why == OTHER_SUFFIX)
    names = [suffix or "none" for suffix, _ in suffixes.most_common(_SUFFIXES_SHOWN)]
    if len(suffixes) > len(names):
        names.append("...")
    shown = {OTHER_SUFFIX: f" ({', '.join(names)})"}
    counts = Counter(why for _, why in left_out)
    return ", ".join(f"{count} {why}{shown.get(why, '')}" for why, count in counts.most_common())


def _why_not(entry: os.DirEntry[str]) -> str:
    """Returns why an entry of a folder is neither an image nor a folder of some."""
    if is_hidden(entry.name):
        return HIDDEN
    if not is_utf8(entry.name):
        return NOT_UTF8
    try:
        if entry.is_dir():
            return ""
        if Path(entry.name).suffix.lower() not in SUFFIXES:
            return OTHER_SUFFIX
        if entry.is_file():
            return ""
        # Of a link, what it leads to.
        return SPECIAL if os.path.exists(entry.path) else DANGLING
    except OSError:  # A link to itself.
        return DANGLING
