"""The directory of a search and its configuration."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.files.atomic_files import make_directory
from nasnet_keras.settings import Settings, check_value, read_settings, write_settings


@dataclass(frozen=True)
class SearchConfig(Settings):
    """The `config.json` of a search.

    Attributes:
        space: The space's `config()`; `"space"` is its name.
        strategy: The strategy's `"name"` and its settings.
        seed: Seed of the strategy and of the children.
        child: What tells these children from others.
        limits: What an architecture may cost.
    """

    called = "the configuration of a search"

    space: dict[str, Any]
    strategy: dict[str, Any]
    seed: int
    child: dict[str, Any]
    limits: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_value("space.space", str, self.space.get("space"))
        check_value("strategy.name", str, self.strategy.get("name"))
        for name in ("space", "strategy", "child", "limits"):
            # As it comes back from a file: with lists for tuples.
            values = json.loads(json.dumps(getattr(self, name), allow_nan=False))
            object.__setattr__(self, name, values)


class RunDirectory:
    """The paths of a search's files.

    Args:
        path: The directory; it may be missing.

    Attributes:
        config: `config.json`: the configuration, which never changes.
        journal: `journal.jsonl`: the events.
        snapshot: `snapshot.npz`: the strategy's state at some position of the journal.
        clock: `clock.json`: how long the search has run.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.journal = self.path / "journal.jsonl"
        self.snapshot = self.path / "snapshot.npz"
        self.clock = self.path / "clock.json"

    def child(self, number: int) -> Path:
        """Returns the directory of a child, absolute: a worker may run in another directory."""
        return self.path.absolute() / "children" / str(number)

    def read_config(self) -> SearchConfig:
        """Returns the configuration.

        Raises:
            ValueError: The directory does not hold a search.
            OSError: The file cannot be read.
        """
        try:
            return read_settings(SearchConfig, self.config)
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"{self.path} is not a search: it has no {self.config.name}") from None

    def check_config(self, config: SearchConfig) -> None:
        """Refuses the directory of a search with a different configuration.

        Raises:
            ValueError: The directory holds a different search; the message names the differences.
        """
        if not self.config.exists():
            if self.journal.exists():
                raise ValueError(f"{self.path} has a journal, but no {self.config.name}")
            return
        differences = config.differences(self.read_config())
        if differences:
            raise ValueError(
                f"{self.path} holds a different search ({'; '.join(differences)}): use those "
                "settings, or another directory"
            )

    def write_config(self, config: SearchConfig) -> None:
        """Creates the directory and writes the configuration, unless it exists.

        Raises:
            OSError: It cannot be written.
        """
        make_directory(self.path)
        if not self.config.exists():
            write_settings(config, self.config)
