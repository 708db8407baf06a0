"""Trained networks as files that other programs load."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasnet_keras.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]

_MODULES = {"export_saved_model": "saved_model"}


def __getattr__(name: str) -> Any:
    # Only when asked for: who reads a file's description needs no Keras.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
