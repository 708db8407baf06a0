"""JSON in which something is not what it should be."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

_DEEP = 100_000
# Written as they stand, because no Python value is written so.
_RAW = (
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "1" + "0" * 400,
    "1" * 5_000,
    "-0",
    "1.0",
    "[" * _DEEP + "]" * _DEEP,
    '{"a":' * _DEEP + "1" + "}" * _DEEP,
    '"\\ud800"',
    '"\\u0000"',
    "01",
    "'a'",
    "undefined",
    "",
    "/* */ 1",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    0.5,
    1e-320,
    1e308,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    "",
    " ",
    "0",
    "nan",
    "text",
    "é\u202e😀",
    "\u001b[31m",
    "[/x]",
    "../../x",
    "/dev/null",
    "a" * 100_000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": 1},
    [1, "a", None],
    list(range(1000)),
)


def damage_json(text: str, source: random.Random) -> tuple[str, str]:
    """Returns a damaged document, and what was done."""
    tree = json.loads(text)
    marks: dict[str, str] = {}
    done = []
    for _ in range(source.choice((1, 1, 1, 2))):
        places = list(_places(tree, ()))
        place = source.choice(places)
        how = source.choice(list(_CHANGES))
        tree = _changed(tree, place, lambda value, how=how: _CHANGES[how](value, source, marks))
        done.append(f"{'.'.join(map(str, place)) or 'everything'} {how}")
    result = json.dumps(tree)
    for mark, raw in marks.items():
        result = result.replace(mark, raw)
    return result, "; ".join(done)


def _places(tree: Any, place: tuple) -> Any:
    yield place
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _places(value, (*place, name))
    elif isinstance(tree, list):
        # A few of many: each is as likely as what stands once.
        for index, value in list(enumerate(tree))[:4]:
            yield from _places(value, (*place, index))


def _changed(tree: Any, place: tuple, change: Callable[[Any], Any]) -> Any:
    if not place:
        return change(tree)
    tree = copy.copy(tree)
    tree[place[0]] = _changed(tree[place[0]], place[1:], change)
    return tree


def _mark(raw: str, marks: dict[str, str], as_name: bool = False) -> str:
    name = f"raw {len(marks)}"
    marks[f'"{name}": 0' if as_name else f'"{name}"'] = raw
    return name


def _without_one(value: Any, source: random.Random, _: Any) -> Any:
    if isinstance(value, dict) and value:
        gone = source.choice(list(value))
        return {name: each for name, each in value.items() if name != gone}
    return value[1:] if isinstance(value, list | str) else None


def _with_one_more(value: Any, source: random.Random, _: Any) -> Any:
    if isinstance(value, dict):
        return value | {source.choice(("", "x", "nmae", "é", "a" * 5_000)): 1}
    return [*value, value[0] if value else 0] if isinstance(value, list) else [value]


def _name_twice(value: Any, source: random.Random, marks: dict[str, str]) -> Any:
    if not isinstance(value, dict) or not value:
        return [value, value]
    name = source.choice(list(value))
    other = source.choice((value[name], None, 1, []))
    raw = f"{json.dumps(name)}: {json.dumps(other)}"
    return {**value, _mark(raw, marks, as_name=True): 0}


def _renamed(value: Any, source: random.Random, _: Any) -> Any:
    if not isinstance(value, dict) or not value:
        return str(value)
    old = source.choice(list(value))
    return {(f"{name}x" if name == old else name): each for name, each in value.items()}


def _other_type(value: Any, *_: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return [value]
    return dict(enumerate(value)) if isinstance(value, list) else list((value or {}).items())


def _scaled(value: Any, source: random.Random, _: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * source.choice((-1, 1000, 10**9, 10**30, 0, 0.5))
    return value * 3 if isinstance(value, list | str) else value


_CHANGES: dict[str, Callable[[Any, random.Random, dict[str, str]], Any]] = {
    "replaced": lambda value, source, marks: source.choice(_VALUES),
    "replaced by what JSON hardly knows": lambda _, source, marks: _mark(
        source.choice(_RAW), marks
    ),
    "of another type": _other_type,
    "scaled": _scaled,
    "without one": _without_one,
    "with one more": _with_one_more,
    "with a name twice": _name_twice,
    "with a name misspelt": _renamed,
    "in a list": lambda value, source, marks: [value],
}
