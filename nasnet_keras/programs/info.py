"""Prints the versions of what is installed, for a report of a fault.

  nasnet-keras info

Nothing is imported for it, so that it also answers where Keras or its backend does not load.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re

import nasnet_keras
from nasnet_keras.files.keras_home import keras_home
from nasnet_keras.programs.program import Program
from nasnet_keras.text.plain_text import say

# Only who develops this package has them.
_DEVELOPMENT = {"test", "dev", "docs"}
_BACKENDS = ("tensorflow", "jax", "torch", "openvino")


def info() -> None:
    backend, chosen_by = keras_backend()
    needed, optional = libraries()
    rows = [
        ("nasnet_keras", nasnet_keras.__version__),
        ("Python", platform.python_version()),
        ("platform", platform.platform()),
        ("Keras backend", f"{backend} {_version(backend) or 'not installed'}, by {chosen_by}"),
        *((name, _version(name) or "not installed") for name in needed),
        *((name, version) for name in optional if (version := _version(name))),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        say(f"{name:{width}}  {value}")


def keras_backend() -> tuple[str, str]:
    """Returns the backend that Keras would take, and what chooses it."""
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen, "KERAS_BACKEND"
    file = keras_home() / "keras.json"
    try:
        return str(json.loads(file.read_text())["backend"]), file.name
    except (OSError, ValueError, TypeError, KeyError):
        return "tensorflow", "default"


def libraries() -> tuple[list[str], list[str]]:
    """Returns the names of the libraries that the package needs, and of those it may use."""
    needed: list[str] = []
    optional: list[str] = list(_BACKENDS)
    try:
        requirements = importlib.metadata.requires("nasnet-keras") or []
    except importlib.metadata.PackageNotFoundError:  # A checkout that was not installed.
        requirements = ["keras"]
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)", requirement)
        if not extra:
            needed.append(name)
        elif extra[1] not in _DEVELOPMENT:
            optional.append(name)
    return needed, sorted(set(optional) - set(needed))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


PROGRAM = Program(info, ())
