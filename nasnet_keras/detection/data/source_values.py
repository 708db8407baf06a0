"""Numbers as annotation files hold them: some tools write text, or a decimal point."""

from __future__ import annotations

import re
from typing import Any

# As many digits as 64 bits can have.
_WHOLE = re.compile(r"\s*([+-]?\d{1,19})(?:\.0*)?\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?\d{1,19}(?:\.\d{0,30})?\s*", re.ASCII)


def whole_number(value: Any) -> Any:
    """Returns the integer that a value stands for (`1`, `1.0`, `"1"`), or else the value itself."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    match = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else value


def number(value: Any) -> Any:
    """Returns the number that a text stands for (`"30.5"`), or else the value itself."""
    return float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value


def image_sides(height: Any, width: Any) -> tuple[Any, Any] | None:
    """Returns the height and width that an annotation gives; `None` where it leaves one open.

    An absent side, an empty one and 0 stand for unknown; the image's own size is read anyway.
    """
    sides = whole_number(height), whole_number(width)
    known = all(side not in (None, "") and (side != 0 or side is False) for side in sides)
    return sides if known else None
