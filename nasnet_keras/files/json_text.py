"""JSON as its standard has it, from files that a person or a kill may have changed."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes, finite: bool = True) -> Any:
    """Returns what a JSON text says.

    Args:
        text: The text, in any of Unicode's encodings.
        finite: Whether to refuse NaN and Infinity, which are no JSON, but which Python writes.

    Raises:
        ValueError: It is no JSON, has NaN or Infinity, or is nested thousands of levels deep.
    """
    try:
        return json.loads(text, parse_constant=_refuse if finite else None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")
