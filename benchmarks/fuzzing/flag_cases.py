"""Command lines in which a flag is wrong."""

from __future__ import annotations

import importlib
import random
import typing

from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.verbs import programs
from nasnet_keras.settings import base_type, hints, without_none

from .commands import COMMANDS
from .values import NUMBERS, PATHS, TEXTS, bad_text


def damage_command(program: str, source: random.Random) -> tuple[list[str], str]:
    """Returns the words of a program's command with something wrong, and what that is."""
    words, done = [*program.split(), *COMMANDS[program]], []
    for _ in range(source.choice((1, 1, 1, 2))):
        change = source.choice((_set,) * 6 + (_misspell, _drop, _without_value, _twice, _extra))
        done.append(change(words, program, source))
    return words, "; ".join(done)


def _flags(program: str) -> dict[str, typing.Any]:
    module = importlib.import_module(dict(programs())[program])
    found: dict[str, typing.Any] = {}
    for group in module.PROGRAM.groups:
        if isinstance(group, Overrides):
            found |= {name: hints(group.settings)[name] for name in group.names}
        else:
            found |= hints(group)
    return found


def _set(words: list[str], program: str, source: random.Random) -> str:
    flags = _flags(program)
    name = source.choice(list(flags))
    kind = base_type(flags[name])
    if kind in (int, float) and source.random() < 0.7:
        value = source.choice(NUMBERS)
    elif kind is bool:
        if source.random() < 0.3:
            words.append(f"--no{name}")
            return words[-1]
        value = bad_text(source)
    elif kind is tuple and source.random() < 0.5:
        value = ",".join(bad_text(source) for _ in range(source.choice((1, 2, 3, 50))))
    elif kind is str and source.random() < 0.6:
        value = source.choice(source.choice((PATHS, TEXTS)))
    else:
        value = bad_text(source)
    if typing.get_origin(without_none(flags[name])) is typing.Literal and source.random() < 0.3:
        # A right value, which may contradict the others.
        value = str(source.choice(typing.get_args(without_none(flags[name]))))
    words[:] = [word for word in words if not word.startswith(f"--{name}=")]
    words.append(f"--{name}={value}")
    return words[-1][:60]


def _misspell(words: list[str], _: str, source: random.Random) -> str:
    place = source.randrange(len(words))
    word = list(words[place])
    at = source.randrange(len(word))
    word[at] = source.choice(("", "x", word[at].upper(), word[at] * 2, "é", "-", "="))
    words[place] = "".join(word)
    return f"misspelt {words[place]}"


def _drop(words: list[str], _: str, source: random.Random) -> str:
    return f"without {words.pop(source.randrange(len(words)))}"


def _without_value(words: list[str], _: str, source: random.Random) -> str:
    place = source.randrange(len(words))
    words[place] = words[place].partition("=")[0]
    return f"{words[place]} alone"


def _twice(words: list[str], program: str, source: random.Random) -> str:
    name = source.choice(list(_flags(program)))
    value = bad_text(source)
    words += [f"--{name}={value}", f"--{name}={bad_text(source)}"]
    return f"--{name} twice"


def _extra(words: list[str], _: str, source: random.Random) -> str:
    words.insert(source.randrange(len(words) + 1), bad_text(source))
    return "a word more"
