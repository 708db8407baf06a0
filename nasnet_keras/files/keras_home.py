"""Keras's directory of a user, where what was downloaded or found out once is kept."""

from __future__ import annotations

import os
from pathlib import Path


def keras_home() -> Path:
    """Returns `$KERAS_HOME`, by default `~/.keras`; it may be missing."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
