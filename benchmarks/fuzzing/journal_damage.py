"""Logs and journals: files of a JSON object a line, the lines of some with a running checksum."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence

from .json_damage import damage_json

_CHECK = re.compile(r',"check":"[0-9a-f]{8}"\}$')


def damage_lines(text: str, source: random.Random) -> tuple[str, str]:
    """Returns a damaged file, mostly with checksums as if it had been written so."""
    sealed = source.random() < 0.8 and bool(_CHECK.search(text.splitlines()[0]))
    lines = [_CHECK.sub("}", line) for line in text.splitlines()] if sealed else text.splitlines()
    place = source.randrange(len(lines))
    how = source.choice(("changed",) * 6 + ("gone", "twice", "moved", "cut off", "blank"))
    line = lines.pop(place)
    new: Sequence[str] = ()
    if how == "changed":
        changed, how = damage_json(line, source)
        new = (changed,)
    elif how == "twice":
        new = (line, line)
    elif how == "moved":
        lines.insert(source.randrange(len(lines) + 1), line)
    elif how == "cut off":
        new = (line[: source.randrange(len(line) + 1)],)
    elif how == "blank":
        new = ("", line)
    lines[place:place] = new
    if sealed:
        lines = _sealed(lines)
    return "\n".join(lines) + "\n", f"line {place + 1}: {how}{', sealed' if sealed else ''}"


def _sealed(lines: Sequence[str]) -> list[str]:
    found, check = [], 0
    for line in lines:
        body = line[:-1]
        check = zlib.crc32(body.encode("utf-8", "surrogatepass"), check)
        found.append(f'{body},"check":"{check:08x}"}}')
    return found
