"""Flags from the fields of frozen dataclasses: names, types, help and defaults."""

from __future__ import annotations

import contextlib
import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from absl import flags

from nasnet_keras.files.json_text import parse_json
from nasnet_keras.settings import (
    Settings,
    base_type,
    check_value,
    documentation,
    expected,
    hints,
    without_none,
)
from nasnet_keras.text.plain_text import shown

# As in absl's own boolean flags.
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


@dataclass(frozen=True)
class Overrides:
    """Flags that override values of settings; those given are read as a dictionary.

    Attributes:
        settings: The settings that have these fields.
        owner: Whose value is the default, e.g. `"the recipe's"`.
        names: The fields.
    """

    settings: type[Settings]
    owner: str
    names: Sequence[str]


# Settings are read as an instance.
Group: TypeAlias = "type[Settings] | Overrides"


def define(group: Group, values: flags.FlagValues, program: str) -> None:
    """Defines the flags of a group in absl's container, as those of a program as started."""
    for name, hint in _fields(group).items():
        kind = base_type(hint)
        arguments = (
            _Text(_syntax(hint)),
            flags.ArgumentSerializer(),
            name,
            None,
            _help(group, name),
        )
        if kind is Mapping:
            flag: flags.Flag = flags.MultiFlag(*arguments)
        else:
            flag = flags.Flag(*arguments, boolean=kind is bool)
        flags.DEFINE_flag(flag, values, module_name=program)


def read(group: Group, values: flags.FlagValues) -> Any:
    """Returns the values given: settings, or a dictionary of overrides.

    Raises:
        ValueError: A flag is missing or empty, or its value does not fit the field.
    """
    given = {
        name: _value(f"--{name}", without_none(hint), values[name].value)
        for name, hint in _fields(group).items()
        if values[name].present
    }
    if isinstance(group, Overrides):
        return given
    for name in _fields(group):
        if name not in given and _default(group, name) is dataclasses.MISSING:
            text = documentation(group)[name].rstrip(".").replace("`", "")
            raise ValueError(f"--{name} is missing: {text[0].lower()}{text[1:]}")
    return group(**given)


class _Text(flags.ArgumentParser):
    """absl only splits the command line; `read` converts the texts to values."""

    def __init__(self, syntax: str) -> None:
        self.syntactic_help = syntax


def _fields(group: Group) -> dict[str, Any]:
    if not isinstance(group, Overrides):
        return hints(group)
    return {name: hints(group.settings)[name] for name in group.names}


def _default(settings: type[Settings], name: str) -> Any:
    (field,) = (field for field in dataclasses.fields(settings) if field.name == name)  # type: ignore[arg-type]
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _help(group: Group, name: str) -> str:
    if isinstance(group, Overrides):
        return f"{documentation(group.settings)[name]} Default: {group.owner}.".replace("`", "")
    text, default = documentation(group)[name].replace("`", ""), _default(group, name)
    if default is dataclasses.MISSING:
        return f"{text} Required."
    if default in (None, (), {}):
        return text
    parts = default if isinstance(default, tuple) else (default,)
    typed = ",".join(str(part).lower() if isinstance(part, bool) else str(part) for part in parts)
    return f"{text} Default: {typed}."


def _syntax(hint: Any) -> str:
    """Returns the format of a flag's value, where the help should show it."""
    kind, hint = base_type(hint), without_none(hint)
    if kind is Mapping:
        return "NAME=VALUE"
    if kind is tuple:
        one = "" if typing.get_args(hint)[-1] is Ellipsis else ", or one for all"
        return f"{expected(hint)}, with commas between{one}"
    plain = kind is bool or hint is str
    return "" if plain else expected(hint)


def _value(name: str, hint: Any, text: Any) -> Any:
    if isinstance(text, list):
        return dict(_option(name, each) for each in text)
    _check_given(name, text)
    value: Any = text
    kind = base_type(hint)
    if kind is tuple:
        elements, parts = typing.get_args(hint), _parts(name, text)
        if elements[-1] is not Ellipsis and len(parts) == 1:
            parts *= len(elements)
        value = tuple(_value(name, elements[0], part.strip()) for part in parts)
    elif kind is bool:
        value = _BOOLEANS.get(text.lower(), text)
    elif kind in (int, float):
        # What is not a number is rejected below, as given.
        with contextlib.suppress(ValueError):
            value = kind(text)
    check_value(name, hint, value)
    return value


def _parts(flag: str, text: str) -> list[str]:
    import csv

    try:
        (parts,) = csv.reader([text], strict=True)
    except csv.Error as error:
        raise ValueError(
            f"{flag} is a list with commas between, got {shown(text)}: {error}"
        ) from None
    return parts


def _check_given(flag: str, text: str) -> None:
    # Mostly an unset shell variable.
    if not text.strip():
        raise ValueError(f"{flag} is empty: give it a value, or leave it out")


def _option(flag: str, text: str) -> tuple[str, Any]:
    _check_given(flag, text)
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{flag} is NAME=VALUE, got {shown(text)}")
    # What is not JSON is a name.
    with contextlib.suppress(ValueError):
        return name, parse_json(value)
    return name, value
