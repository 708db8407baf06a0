"""Text of others in our own: their names and values are shown as they are, and change nothing."""

from __future__ import annotations

import re
import reprlib
from typing import Any, TextIO

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120
_SHORT.maxlong = 40
_SHORT.maxtuple = _SHORT.maxlist = 8
# What moves a terminal's cursor, breaks a line, turns the direction of writing, or is no character
# of XML.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_LONGEST_WORD = 160
_LONGEST_LINE = 1900
# What spreadsheets take for the beginning of a formula.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def shown(value: Any) -> str:
    """Returns a value as a message shows it: short, whatever it is."""
    try:
        return _SHORT.repr(value)
    except (ValueError, RecursionError):  # Python writes no integer of more than 4,300 digits.
        return f"{type(value).__name__} too large to show"


def printable(text: str, keep: str = "") -> str:
    r"""Returns text with control characters as Python writes them, e.g. `\x1b`.

    Args:
        text: Any text, also a file's name that is not UTF-8.
        keep: Characters to leave as they are.
    """
    return _CONTROL.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def line(text: str) -> str:
    """Returns text as one line of bounded length: long words, and many, are cut in the middle."""
    words = [_cut(printable(word), _LONGEST_WORD) for word in text.split()]
    return _cut(" ".join(words), _LONGEST_LINE)


def say(text: str, file: TextIO | None = None) -> None:
    """Prints lines, whatever is in them; to standard output by default."""
    print(printable(text, keep="\n"), file=file)


def spreadsheet_cell(value: Any) -> Any:
    """Returns a value for a CSV file; text that a spreadsheet would run has a `'` before it.

    Numbers, also those that are text, stay as they are.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _is_number(value):
        return value
    return f"'{value}"


def markup(text: str, keep: str = "") -> str:
    """Returns text for HTML or XML, well-formed whatever is in it; `keep` as in `printable`."""
    import html  # Its table of entities would slow the start of every program.

    return html.escape(printable(text, keep))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2 - 2
    return f"{text[:half]}...{text[-half:]}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "\t" not in text and "\r" not in text and "\n" not in text
