"""Images and boxes as in annotation files, unchecked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Header = tuple[int, int, int]
"""Height and width of an image as stored, and its EXIF orientation."""


@dataclass
class SourceBox:
    """A box as in an annotation file, unchecked.

    Attributes:
        id: Its id, which `where` shows; `None` where the dataset has none for its boxes.
        category: A key of the categories.
        box: Left, top, width, height in pixels.
        crowd: Whether it is a region of many objects.
        area: Its area; `None`: that of the box.
        where: How to find it, e.g. `"instances_val2017.json: annotation 7"`.
    """

    id: Any
    category: Any
    box: Any
    crowd: Any
    area: Any
    where: str


@dataclass
class SourceImage:
    """An image as in an annotation file.

    Attributes:
        id: Its id.
        name: Its file name.
        path: File that holds it; `None`: its name leads out of the folder.
        size: Height and width that the annotation gives; `None`: the image's own.
        where: How to find its entry.
        boxes: Its boxes.
        span: First byte and length in the file; a length of -1 means all of it.
        header: What `image_header` returned; `None`: not read yet.
    """

    id: Any
    name: str
    path: Path | None
    size: tuple[Any, Any] | None
    where: str
    boxes: list[SourceBox] = field(default_factory=list)
    span: tuple[int, int] = (0, -1)
    header: Header | str | None = None
