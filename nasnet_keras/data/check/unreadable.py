"""What a run does about image files that cannot be decoded: it refuses all at once, or drops them.

Only files of one's own are looked at. Record files have checksums, and a stream skips the few
examples in them that are damaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from absl import logging
from rich.console import Console

from nasnet_keras.data.check.image_check import checked_images
from nasnet_keras.data.sources.example_files import Examples

DAMAGED = "is damaged or cut off"
_SHOWN = 20
_HINT = "drop_invalid goes on without them"

_Examples = TypeVar("_Examples", bound=Examples)


class UnreadableImagesError(ValueError):
    """Image files of a dataset cannot be decoded.

    Attributes:
        summary: The message without the files.
        problems: A line for each file, which says what is wrong with it.

    Args:
        summary: What was found.
        found: What is wrong with each file, by its path.
    """

    def __init__(self, summary: str, found: Mapping[str, str]) -> None:
        found = dict(sorted(found.items()))
        super().__init__(f"{summary}: {_listed(found)}")
        self.summary = summary
        self.problems = tuple(f"{path}: {reason}" for path, reason in found.items())


class UnreadableExampleError(ValueError):
    """An example of a stream cannot be read."""


def find_unreadable(
    paths: Iterable[str], seconds: float | None = None, console: Console | None = None
) -> tuple[dict[str, str], int]:
    """Finds the files that cannot be decoded.

    Args:
        paths: The files.
        seconds: How long to look; `None`: until all are decoded.
        console: Where to show how far it is.

    Returns:
        What is wrong with each, by its path, and how many files were looked at.
    """
    found, checked = {}, 0
    for path, image in checked_images(paths, seconds, console):
        checked += 1
        if image.problem:
            found[path] = image.problem
    return found, checked


def refuse_unreadable(
    splits: Sequence[Examples], seconds: float, console: Console | None = None
) -> int:
    """Looks for files that cannot be decoded, for a while; the next time it looks further.

    Args:
        splits: Splits of a dataset.
        seconds: How long to look; 0: not at all.
        console: Where to show how far it is.

    Returns:
        How many files there was no time for.

    Raises:
        UnreadableImagesError: Some were found.
    """
    files = list(dict.fromkeys(path for split in splits for path in split.own_files()))
    if not files or not seconds:
        return 0
    found, checked = find_unreadable(files, seconds, console)
    if found:
        names = " and ".join(dict.fromkeys(split.split for split in splits))
        what = f"dataset {splits[0].name}: {len(found)} of {checked} images of {names}"
        raise UnreadableImagesError(f"{what} cannot be decoded ({_HINT})", found)
    return len(files) - checked


def drop_unreadable(examples: _Examples, console: Console | None = None) -> _Examples:
    """Returns the examples without those whose files cannot be decoded; says how many these are.

    Args:
        examples: The examples.
        console: Where to show how far it is.

    Raises:
        UnreadableImagesError: None is left.
    """
    files = examples.own_files()
    found, _ = find_unreadable(files, None, console)
    if not found:
        return examples
    count = f"{len(found)} of {len(files)} images of {examples.split}"
    what = f"dataset {examples.name}: {count} cannot be decoded"
    kept = [place for place, path in enumerate(files) if path not in found]
    if not kept:
        raise UnreadableImagesError(f"{what} (no image is left)", found)
    logging.warning("%s and are left out: %s", what, _listed(found))
    files_of_own: Any = examples
    return files_of_own.take(kept)


def unreadable_example(examples: Examples, index: int, seconds: float) -> UnreadableExampleError:
    """Returns the error about an example that a stream could not read, and others like it.

    Args:
        examples: The examples.
        index: The one.
        seconds: How long to look for others, where each has a file of its own.
    """
    what = f"dataset {examples.name}: {examples.describe(index)} {DAMAGED}"
    files = examples.own_files()
    if not files:
        return UnreadableExampleError(what)
    found, _ = find_unreadable(files, seconds, Console(quiet=True))
    others = sorted({*found} - {files[index]})
    if others:
        shown = ", ".join(others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        what += f", and so are {len(others)} others of {len(files)}: {shown}{more}"
    return UnreadableExampleError(f"{what}; drop_invalid goes on without")


def _listed(found: Mapping[str, str]) -> str:
    shown = [f"{path} ({reason})" for path, reason in list(found.items())[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
