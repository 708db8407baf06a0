"""Which modules the report needs, said before anything is imported. Standard library only."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence

# JAX's, which bring `ml_dtypes`, and what Keras needs to be imported.
NEEDED = ("jax", "jaxlib", "numpy", "ml_dtypes")
NEEDED += ("keras", "absl", "optree", "packaging", "rich", "typing_extensions")
TIMM = ("torch", "timm")


def missing(names: Sequence[str]) -> list[str]:
    """Returns which modules are not installed."""
    return [name for name in names if importlib.util.find_spec(name) is None]


def refuse_missing() -> None:
    """Ends the program with one line where a module is not installed."""
    names = missing(NEEDED)
    if names:
        print(f"error: not installed: {', '.join(names)}; see docs/performance.md", file=sys.stderr)
        raise SystemExit(2)
