"""A field of a settings dataclass that is also a program's flag."""

from __future__ import annotations

import dataclasses
from typing import Any


def flag_field(help_text: str, **kwargs: Any) -> Any:
    """Returns a dataclass field with the line that `--help` shows for the flag of its name.

    Args:
        help_text: The line.
        **kwargs: Of `dataclasses.field`.
    """
    return dataclasses.field(metadata={"help": help_text}, **kwargs)
