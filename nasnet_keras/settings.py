"""Settings as frozen dataclasses: checked by their types, documented by their docstrings.

A library such as pydantic would do the checking, but takes longer to import than a program's
`--help` may last, and its errors are not one line.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
import os
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, Union

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.text.plain_text import shown
from nasnet_keras.text.suggestions import unknown_name

if TYPE_CHECKING:
    from typing_extensions import Self

# Of what TensorFlow and NumPy count in; neither infinity nor NaN is below.
_LARGEST = {int: 2**63 - 1, float: sys.float_info.max}
_Settings = TypeVar("_Settings", bound="Settings")
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


@dataclass(frozen=True)
class Range:
    """Bounds of a number, for `typing.Annotated`.

    Attributes:
        least: The least value, itself allowed unless `above`.
        most: The largest value, itself allowed unless `below`.
        above: Whether values are above `least`.
        below: Whether values are below `most`.
    """

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        return (value > self.least if self.above else value >= self.least) and (
            value < self.most if self.below else value <= self.most
        )

    def __str__(self) -> str:
        if self.most == math.inf:
            return f"{'above' if self.above else 'of at least'} {self.least}"
        return f"in {'[('[self.above]}{self.least}, {self.most}{'])'[self.below]}"


Count = Annotated[int, Range(1)]
NonNegativeInt = Annotated[int, Range(0)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0, above=True)]
NonNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]
Decay = Annotated[float, Range(0, 1, below=True)]
Probability = Annotated[float, Range(0, 1, above=True)]
MOST_SIDE = 16_384
"""Pixels of the side of a network's input; published classifiers have 331, detectors 1,200."""

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


class Settings:
    """Base of frozen dataclasses that say everything about a run, a network or a search.

    The annotation of a field says what it may be: `bool`, `int`, `float`, `str`, `None`, a
    `Literal`, a number within a `Range`, tuples of these, other settings, or any class. Lists
    become tuples. The docstring's `Attributes:` section says what it means, and `--help` shows it.

    Raises:
        ValueError: A value is not what its annotation says.
    """

    # What messages call them, and a field of theirs.
    called = "a file of settings"
    _field_kind = "setting"
    # The largest numbers that make sense, by field: what is above would take days or all memory.
    _most: ClassVar[Mapping[str, int]] = {}

    def __post_init__(self) -> None:
        for name, hint in hints(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, name, value)
            check_value(name, hint, value)
        for name, most in self._most.items():
            check_most(name, getattr(self, name), most)

    def replace(self, **values: Any) -> Self:
        """Returns a copy with some values replaced.

        Raises:
            ValueError: A name is no field; the nearest one is suggested. Or a value is illegal.
        """
        check_names(type(self), values)
        return dataclasses.replace(self, **values)  # type: ignore[type-var]

    def to_dict(self) -> dict[str, Any]:
        """Returns the values as JSON can hold them."""
        return {name: _plain(getattr(self, name)) for name in hints(type(self))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Reads what `to_dict` returned; a field that is newer than the data has its default.

        Raises:
            ValueError: A name is unknown or missing, or a value is illegal.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"{cls.__name__} is an object of settings, got {shown(data)}")
        check_names(cls, data)
        values = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if field.name in data:
                values[field.name] = _parsed(hints(cls)[field.name], data[field.name], field.name)
            elif field.default is field.default_factory is dataclasses.MISSING:
                raise ValueError(f"{cls._field_kind} {field.name!r} is missing")
        return cls(**values)

    def differences(self, other: Settings) -> list[str]:
        """Returns what differs from another one, as `"field was theirs, now ours"`."""
        return _differences(self, other, "")


def read_settings(cls: type[_Settings], path: str | os.PathLike[str]) -> _Settings:
    """Reads settings from a JSON file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no JSON, or not what `cls` is; one line says what is wrong.
    """
    try:
        return cls.from_dict(parse_json(read_file(path)))
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)} is not {cls.called}: {error}") from None


def write_settings(settings: Settings, path: str | os.PathLike[str]) -> None:
    """Writes settings as a JSON file, atomically.

    Raises:
        OSError: It cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(settings.to_dict(), indent=2) + "\n")


@functools.cache
def hints(cls: type) -> dict[str, Any]:
    """Returns the annotations of a dataclass's fields, by name."""
    found = typing.get_type_hints(cls, include_extras=True)
    return {field.name: found[field.name] for field in dataclasses.fields(cls)}


def base_type(hint: Any) -> type:
    """Returns the plain type behind an annotation, without `None`, bounds or choices."""
    if typing.get_origin(hint) is Literal:
        return type(typing.get_args(hint)[0])
    if typing.get_origin(hint) is Annotated:
        return base_type(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (Union, types.UnionType):
        return base_type(without_none(hint))
    return typing.get_origin(hint) or hint


def without_none(hint: Any) -> Any:
    """Returns the first alternative of an annotation that is not `None`."""
    return next(each for each in _alternatives(hint) if each is not type(None))


@functools.cache
def documentation(cls: type) -> dict[str, str]:
    """Returns what a docstring says of each field, in its `Attributes:` section, on one line."""
    texts: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        _, _, section = (inspect.getdoc(each) or "").partition("Attributes:\n")
        section = re.split(r"^\S", section, maxsplit=1, flags=re.MULTILINE)[0]
        texts |= {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(section)}
    return texts


def check_names(cls: type[Settings], names: Mapping[str, Any]) -> None:
    """Refuses names that are not fields; the nearest is suggested."""
    for name in names:
        if name not in hints(cls):
            raise ValueError(unknown_name(cls._field_kind, name, hints(cls)))


def check_value(name: str, hint: Any, value: Any) -> None:
    """Refuses what does not fit an annotation.

    Args:
        name: What the value is called.
        hint: An annotation, e.g. `Count`.
        value: The value.

    Raises:
        ValueError: It does not fit; the message says what was expected.
    """
    choices = [a for part in _alternatives(hint) for a in _choices(part)]
    if choices and isinstance(value, str) and value not in choices:
        raise ValueError(unknown_name(name, value, choices))
    if not _fits(hint, value):
        large = isinstance(value, int) and abs(value) > _LARGEST[int]
        too_large = ", which is too large" if large else ""
        raise ValueError(f"{name} is {expected(hint)}, got {shown(value)}{too_large}")


def check_most(name: str, value: Any, most: int) -> None:
    """Refuses a number, or one of several, that is above a limit; `None` is not.

    Raises:
        ValueError: It is; the message says what the limit is.
    """
    largest = max(value, default=0) if isinstance(value, tuple) else value
    if largest is not None and largest > most:
        raise ValueError(f"{name} is at most {most:,}, got {shown(value)}")


def expected(hint: Any) -> str:
    """Returns what an annotation allows, as messages and `--help` say it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(expected, arguments))
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin is Annotated:
        return f"{expected(arguments[0])} {arguments[1]}"
    if origin is tuple:
        each = expected(arguments[0]).removeprefix("a ")
        each = re.sub("number|text", r"\g<0>s", each, count=1)
        return each if arguments[-1] is Ellipsis else f"{len(arguments)} {each}"
    names = {
        type(None): "None",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        dict: "a table of values",
        Mapping: "a table of values",
    }
    return names.get(origin or hint, getattr(origin or hint, "__name__", str(hint)))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _choices(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def _fits(hint: Any, value: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(each, value) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is Annotated:
        return _fits(arguments[0], value) and value in arguments[1]
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if arguments[-1] is Ellipsis:
            return all(_fits(arguments[0], each) for each in value)
        return len(value) == len(arguments) and all(map(_fits, arguments, value))
    if hint in (int, float):
        is_number = isinstance(value, int if hint is int else int | float)
        return is_number and not isinstance(value, bool) and abs(value) <= _LARGEST[hint]
    return isinstance(value, origin or hint)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _parsed(hint: Any, value: Any, name: str) -> Any:
    for each in _alternatives(hint):
        if isinstance(value, Mapping) and hasattr(each, "from_dict"):
            try:
                return each.from_dict(value)
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{name}: {error}") from None
    return value


def _differences(ours: Any, theirs: Any, prefix: str) -> list[str]:
    found = []
    mine_by_name, other_by_name = _fields(ours), _fields(theirs)
    for name in {**other_by_name, **mine_by_name}:
        mine = mine_by_name.get(name, _MISSING)
        other = other_by_name.get(name, _MISSING)
        if isinstance(mine, Settings | Mapping) and isinstance(other, type(mine)):
            found += _differences(mine, other, f"{prefix}{name}.")
        elif not _same(mine, other):
            before, now = shown(other), shown(mine)
            # What a line cannot show, such as the cells of a network.
            values = f"was {before}, now {now}" if before != now else "differs"
            found.append(f"{prefix}{name} {values}")
    return found


def _fields(values: Any) -> Mapping[str, Any]:
    if isinstance(values, Mapping):
        return values
    return {name: getattr(values, name) for name in hints(type(values))}


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12)
    return ours == theirs
