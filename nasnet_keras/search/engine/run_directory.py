"""The directory of a search and its configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasnet_keras.atomic_files import atomic_write, make_directory

_MISSING = object()
# What every search's configuration contains.
_TYPES = {"space": dict, "strategy": dict, "seed": int, "child": dict, "limits": dict}
_NAMES = {"space": "space", "strategy": "name"}


class RunDirectory:
    """The paths of a search's files.

    Args:
        path: The directory; it may be missing.

    Attributes:
        config: `config.json`: the configuration, which never changes.
        journal: `journal.jsonl`: the events.
        snapshot: `snapshot.npz`: the strategy's state at some position of the journal.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.journal = self.path / "journal.jsonl"
        self.snapshot = self.path / "snapshot.npz"

    def child(self, number: int) -> Path:
        """Returns the directory of a child, absolute: a worker may run in another directory."""
        return self.path.absolute() / "children" / str(number)

    def read_config(self) -> dict[str, Any]:
        """Returns the configuration.

        Raises:
            ValueError: The directory does not hold a search.
            OSError: The file cannot be read.
        """
        try:
            config = json.loads(self.config.read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"{self.path} is not a search: it has no {self.config.name}") from None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{self.path} is not a search: {self.config.name}: {error}") from None
        wrong = _wrong_value(config)
        if wrong is not None:
            raise ValueError(f"{self.path} is not a search: {self.config.name} has no {wrong}")
        return config

    def check_config(self, config: Mapping[str, Any]) -> None:
        """Refuses the directory of a search with a different configuration.

        Raises:
            ValueError: The directory holds a different search; the message names the differences.
        """
        if not self.config.exists():
            if self.journal.exists():
                raise ValueError(f"{self.path} has a journal, but no {self.config.name}")
            return
        differences = config_differences(self.read_config(), _as_read(config))
        if differences:
            raise ValueError(
                f"{self.path} holds a different search ({'; '.join(differences)}): use those "
                "settings, or another directory"
            )

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Creates the directory and writes the configuration, unless it exists.

        Raises:
            OSError: It cannot be written.
        """
        make_directory(self.path)
        if not self.config.exists():
            with atomic_write(self.config) as path:
                path.write_text(json.dumps(_as_read(config), indent=2) + "\n")


def config_differences(
    found: Mapping[str, Any], expected: Mapping[str, Any], prefix: str = ""
) -> list[str]:
    """Returns the values that differ, as `"dotted.name was theirs, now ours"`."""
    differences = []
    for name in {**found, **expected}:
        theirs, ours = found.get(name, _MISSING), expected.get(name, _MISSING)
        if theirs == ours:
            continue
        if isinstance(theirs, dict) and isinstance(ours, dict):
            differences += config_differences(theirs, ours, f"{prefix}{name}.")
        else:
            was, now = ("missing" if v is _MISSING else json.dumps(v) for v in (theirs, ours))
            differences.append(f"{prefix}{name} was {was}, now {now}")
    return differences


def _wrong_value(config: Any) -> str | None:
    """Returns the name of the first value that is missing or of the wrong type."""
    if not isinstance(config, dict):
        return "settings"
    for name, expected in _TYPES.items():
        if not isinstance(config.get(name), expected) or isinstance(config[name], bool):
            return repr(name)
        if name in _NAMES and not isinstance(config[name].get(_NAMES[name]), str):
            return f"{name}.{_NAMES[name]}"
    return None


def _as_read(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a configuration as read from a file: with lists for tuples."""
    return json.loads(json.dumps(config, allow_nan=False))
