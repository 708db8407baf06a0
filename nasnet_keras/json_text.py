"""JSON as its standard has it, from files that a person or a kill may have changed."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Returns what a JSON text says.

    Raises:
        ValueError: It is no JSON, has NaN or Infinity, or is nested thousands of levels deep.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")
