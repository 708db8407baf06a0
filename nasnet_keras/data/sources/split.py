"""A split or a part of it, as TFDS writes it: `train`, `train[:45000]`, `train[90%:]`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from nasnet_keras.text.suggestions import unknown_name

# Other names of a split, which people and their tools give to it.
_SAME = (
    ("val", "valid", "validation"),
    ("train", "training"),
    ("test", "testing"),
)
_PATTERN = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<start>\d+%?)?:(?P<stop>\d+%?)?\])?")


class Split(NamedTuple):
    """A split or a range of it.

    Attributes:
        name: Name of the split.
        start: First example, as written (`"45000"` or `"90%"`); `None` for the first.
        stop: Example after the last, as written; `None` for the end.
    """

    name: str
    start: str | None = None
    stop: str | None = None

    def range(self, examples: int) -> tuple[int, int]:
        """Returns the first example and the one after the last, of a split of `examples`.

        Raises:
            ValueError: The range is empty.
        """
        start, stop = (
            limit if bound is None else min(examples, _count(bound, examples))
            for bound, limit in ((self.start, 0), (self.stop, examples))
        )
        if start >= stop:
            raise ValueError(f"{self} has no example: {self.name} has {examples}")
        return start, stop

    def of(self, examples: Any) -> Any:
        """Returns this part of the examples of a split.

        Raises:
            ValueError: The range is empty.
        """
        return examples.part(*self.range(len(examples)))

    def __str__(self) -> str:
        is_all = self.start is self.stop is None
        return self.name if is_all else f"{self.name}[{self.start or ''}:{self.stop or ''}]"


def parse_split(split: str, dataset: str, splits: Iterable[str]) -> Split:
    """Reads what a user wrote; `val`, `valid` and `Validation` stand for each other.

    Args:
        split: Name of a split, with a range or not.
        dataset: Name of the dataset, for the message.
        splits: The splits it has.

    Raises:
        ValueError: The split is unknown (the nearest is suggested), or the range is invalid.
    """
    match = _PATTERN.fullmatch(split)
    if match is None:
        raise ValueError(f"split {split!r} is not like 'train', 'train[:45000]' or 'train[90%:]'")
    splits = list(splits)
    known = {each.lower(): each for each in splits} | {each: each for each in splits}
    name = next((known[each] for each in _names(match["name"]) if each in known), None)
    if name is None:
        raise ValueError(unknown_name(f"split of {dataset}", match["name"], splits))
    return Split(name, match["start"], match["stop"])


def is_split_name(name: str) -> bool:
    """Returns whether a folder of this name is a split, and not a class."""
    return any(name.lower() in names for names in _SAME)


def _names(name: str) -> tuple[str, ...]:
    """Returns a name of a split and what else it may be called."""
    plain = name.lower()
    return name, plain, *(other for names in _SAME if plain in names for other in names)


def _count(bound: str, examples: int) -> int:
    if bound.endswith("%"):
        return round(int(bound[:-1]) * examples / 100)
    return int(bound)
