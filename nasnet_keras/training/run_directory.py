"""The files of a run directory: their names, and which of them is its network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from nasnet_keras.settings import Settings, read_settings, write_settings

CHECKPOINT_NAME = "model.keras"
BEST_NAME = "best.keras"
# Holds the last few checkpoints, where a run was asked to keep some.
COPIES_NAME = "checkpoints"
CONFIG_NAME = "config.json"


_Config = TypeVar("_Config", bound=Settings)


def read_config(cls: type[_Config], directory: Path) -> _Config | None:
    """Reads the `config.json` of a run; `None` where there is none.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or of another kind of run.
    """
    path = directory / CONFIG_NAME
    return read_settings(cls, path) if path.is_file() else None


def write_config(config: Settings, directory: Path) -> None:
    """Writes the `config.json` of a run, atomically.

    Raises:
        OSError: It cannot be written.
    """
    write_settings(config, directory / CONFIG_NAME)


def find_checkpoint(path: str | os.PathLike[str], prefer_best: bool = True) -> Path:
    """Returns the file of a run's network; a file is itself.

    Args:
        path: A run directory, or a `.keras` file.
        prefer_best: Of a run, take the best checkpoint where one was scored, else the last.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path = Path(path)
    if path.is_dir():
        best = path / BEST_NAME
        path = best if prefer_best and best.exists() else path / CHECKPOINT_NAME
    if not path.exists():
        raise FileNotFoundError(2, "no such trained network", str(path))
    return path


def run_of(checkpoint: Path) -> Path | None:
    """Returns the run directory of a checkpoint: with it, or above where it is a kept one."""
    folders = [checkpoint.parent]
    if checkpoint.parent.name == COPIES_NAME:
        folders.append(checkpoint.parent.parent)
    return next((folder for folder in folders if (folder / CONFIG_NAME).is_file()), None)
