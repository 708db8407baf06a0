"""What is a fault: a traceback, a hang, an abort, more than a line, a file changed or left."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from .sandbox import ACCEPTED, Ended

# The names of all flags of a program are 1,100.
LONGEST_LINE = 2_000
# Pictures that cannot be read end `detect predict` with 1; `classify` names them and ends with 2.
_REFUSED = (1, 2)
# ONNX Runtime's number of the session.
_OF_OTHERS = {".ses"}
_WARNING = re.compile(r"(?i)warning: ")


def digest(directory: Path) -> dict[str, str]:
    """Returns what every path below a directory is, or holds."""
    found = {}
    for folder, folders, files in os.walk(directory):
        for name in folders + files:
            path = Path(folder, name)
            found[os.fsencode(path.relative_to(directory)).decode("latin-1")] = _content(path)
    return found


def _content(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link to {os.readlink(path)}"
    if stat.S_ISREG(mode):
        return hashlib.sha1(path.read_bytes()).hexdigest()
    return stat.filemode(mode)


def faults(
    ended: Ended,
    before: Mapping[str, str],
    after: Mapping[str, str],
    temporary: Iterable[str],
    continued: Iterable[str] = (),
    listing: bool = False,
    answered: bool = False,
) -> list[str]:
    """Returns what is wrong with the end of a program, each with its sort in front.

    Args:
        ended: How it ended.
        before: The digest of its directory before.
        after: The digest after.
        temporary: What it left in its temporary directory.
        continued: Inputs, or files in them, that it may change if it accepts them.
        listing: Whether it may print more lines before the last one.
        answered: Whether it may end with 1 and write all the same.
    """
    if ended.hung:
        return [f"hang: no end in {ended.seconds:.0f} s"]
    found = []
    # `check-data` has found something and listed it: what it is for.
    listed = ended.code == 1 and not ended.errors and "problem" in ended.output
    accepted = ended.code in (0, ACCEPTED) or listed
    writes = accepted or (answered and ended.code == 1)
    if "Traceback" in ended.errors or "Traceback" in ended.output:
        last = ended.errors.strip().splitlines() or ended.output.strip().splitlines()
        found.append(f"traceback: {last[-1][:300]}")
    elif ended.code < 0:
        found.append(f"aborted: by signal {-ended.code}; {ended.errors.strip()[-300:]}")
    elif not accepted:
        found += _message_faults(ended, listing)
    if ended.processes and ended.code != ACCEPTED:
        found.append(f"left: {ended.processes} processes")
    found += _file_faults(before, after, accepted, writes, tuple(continued))
    if ended.code != ACCEPTED and (names := sorted({*temporary} - _OF_OTHERS)):
        found.append(f"left: {names[:3]} in the temporary directory")
    return found


def _message_faults(ended: Ended, listing: bool) -> list[str]:
    if ended.code not in _REFUSED:
        return [f"message: exit code {ended.code}: {ended.errors.strip()[-300:]!r}"]
    lines = [line for line in ended.errors.splitlines() if not _WARNING.match(line)]
    if not lines or not lines[-1].startswith("error: "):
        return [f"message: the last line is no error: {ended.errors[-300:]!r}"]
    if len(lines) > 1 and not listing:
        return [f"message: {len(lines)} lines: {ended.errors[:300]!r}"]
    if longest := max(lines, key=len)[LONGEST_LINE:]:
        return [f"message: a line of {len(longest) + LONGEST_LINE} characters: {lines[-1][:200]!r}"]
    if any(not (letter.isprintable() or letter in "\n\r\t") for letter in ended.errors):
        return [f"message: control characters: {ended.errors[:200]!r}"]
    return []


def _file_faults(
    before: Mapping[str, str],
    after: Mapping[str, str],
    accepted: bool,
    writes: bool,
    continued: tuple[str, ...],
) -> list[str]:
    found = []
    for name, content in before.items():
        if accepted and {name, name.partition("/")[0]} & {*continued}:
            continue
        if after.get(name) != content:
            found.append(f"changed: {name}")
    new = [name for name in after if name not in before]
    if new and not writes:
        found.append(f"left: {', '.join(sorted(new)[:5])}")
    return found[:5]
