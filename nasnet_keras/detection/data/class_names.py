"""The classes of a dataset: their names as a user gives them, and their ids in its files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nasnet_keras.data.sources.list_file import read_list_file


def ids_of_classes(class_names: Sequence[str], ids: Mapping[str, int]) -> tuple[int, ...]:
    """Returns the ids of classes in the files of a dataset.

    Args:
        class_names: The classes.
        ids: The ids by name. Classes that the files do not know get those after the last.
    """
    new = iter(range(max(ids.values(), default=0) + 1, 2**63))
    return tuple(ids[name] if name in ids else next(new) for name in class_names)


def read_class_names(text: str | os.PathLike[str]) -> tuple[str, ...]:
    """Reads the names of classes: a file with one a line, or the names with commas between.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not text, there is no name, or one is there twice.
    """
    path = Path(text)
    # What looks like a file is one: a single class is rarely called `names.txt`.
    is_list = "," in os.fspath(text) or not (path.suffix or len(path.parts) > 1)
    if path.is_file() or not is_list:
        names, source = tuple(read_list_file(path).values()), f"{path}"
    else:
        parts = (part.strip() for part in os.fspath(text).split(","))
        names, source = tuple(filter(None, parts)), f"{os.fspath(text)!r}"
    if not names:
        raise ValueError(f"{source} names no class")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{source} names {name!r} twice")
    return names
