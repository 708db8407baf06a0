"""Checks of the numbers among a strategy's settings."""

from __future__ import annotations

import sys
from typing import Any


def check_whole(name: str, value: Any) -> None:
    """Refuses what is no whole number of 1 or more.

    Raises:
        ValueError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number of 1 or more, got {value!r}")


def is_finite(value: Any) -> bool:
    """Returns whether a value is a number that a float can hold."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def check_positive(name: str, value: Any) -> None:
    """Refuses what is no finite number above 0.

    Raises:
        ValueError: It is not.
    """
    if not (is_finite(value) and value > 0):
        raise ValueError(f"{name} is above 0 and finite, got {value!r}")
