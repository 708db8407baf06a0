"""Lists of the images to score, e.g. of a mini-val."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from nasnet_keras.data.sources.list_file import read_list_file
from nasnet_keras.detection.data.detection_index import DetectionIndex

_LONGEST_NUMBER = 18  # Digits; ids are int64.


def read_image_ids(path: str | os.PathLike[str], index: DetectionIndex) -> list[int]:
    """Reads a list of images of a dataset.

    A line is the name of an image, with or without its folders and suffix, or else its id. A name
    takes precedence: in Pascal VOC, `000005` need not be the fifth image.

    Args:
        path: One image a line, e.g. `139`, `000000000139`, `000000000139.jpg` or
            `val2017/000000000139.jpg`; empty lines and lines that begin with `#` are ignored.
        index: The images that it is about.

    Returns:
        The ids, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not an image of the dataset or is ambiguous, an image is there twice,
            or there is none.
    """
    images = _Images(index)
    lines: dict[int, int] = {}
    for line_number, text in read_list_file(path).items():
        if text.startswith("#"):
            continue
        where = f"{os.fspath(path)}, line {line_number}"
        try:
            image = int(index.image_ids[images.place(text)])
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if image in lines:
            raise ValueError(f"{where}: {text[:60]!r} is the image of line {lines[image]} again")
        lines[image] = line_number
    if not lines:
        raise ValueError(f"{os.fspath(path)} lists no image")
    return list(lines)


class _Images:
    """The images of an index by what a list may call them."""

    def __init__(self, index: DetectionIndex) -> None:
        self._split = f"{index.split} of {index.name}"
        self._paths = [PurePosixPath(name) for name in index.image_names]
        self._by_id = {int(image_id): place for place, image_id in enumerate(index.image_ids)}
        self._by_name: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[int]] = {}
        for place, path in enumerate(self._paths):
            self._by_name.setdefault(path.name, []).append(place)
            self._by_stem.setdefault(path.stem, []).append(place)

    def place(self, text: str) -> int:
        """Returns where the image of a line is in the index."""
        wanted = PurePosixPath(text)
        with_suffix = self._in_folder(wanted, self._by_name)
        found = with_suffix or self._in_folder(wanted, self._by_stem)
        numbered = self._numbered(text)
        # Without leading zeros it may be an id or a name without suffix: ambiguous if both exist.
        if not with_suffix and numbered is not None and not text.startswith("0"):
            found = list(dict.fromkeys([*found, numbered]))
        if not found and numbered is not None:
            found = [numbered]
        if not found:
            raise ValueError(f"{text[:60]!r} is neither name nor id of an image of {self._split}")
        if len(found) > 1:
            first, second = (f"{self._paths[place]}" for place in found[:2])
            raise ValueError(
                f"{text[:60]!r} may be {first} or {second} of {self._split}: write its full name"
            )
        return found[0]

    def _in_folder(self, wanted: PurePosixPath, places: dict[str, list[int]]) -> list[int]:
        """Returns the images so named, unless both the line and the dataset name other folders."""
        named = places.get(wanted.name, [])
        exact = [place for place in named if self._paths[place].parent == wanted.parent]
        return exact or [
            place
            for place in named
            if all(
                mine == theirs
                for mine, theirs in zip(
                    reversed(wanted.parent.parts),
                    reversed(self._paths[place].parent.parts),
                    strict=False,
                )
            )
        ]

    def _numbered(self, text: str) -> int | None:
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            return None
        place = self._by_id.get(int(text))
        if place is None or not text.startswith("0"):
            return place
        # 000099 is a name; where names are other numbers than ids, it is not the 99th image's.
        stem = self._paths[place].stem
        return None if stem.isdecimal() and int(stem) != int(text) else place
