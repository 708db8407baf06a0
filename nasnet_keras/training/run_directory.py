"""The files of a run directory: their names, and which of them is its network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from nasnet_keras.hub.address import is_hub_address
from nasnet_keras.hub.download import SETTINGS_NAME, download_network
from nasnet_keras.settings import Settings, read_settings, write_settings
from nasnet_keras.weights.keras_archive import is_unpacked

CHECKPOINT_NAME = "model.keras"
BEST_NAME = "best.keras"
# Holds the last few checkpoints, where a run was asked to keep some.
COPIES_NAME = "checkpoints"
CONFIG_NAME = "config.json"


_Config = TypeVar("_Config", bound=Settings)


def config_path(directory: Path) -> Path:
    """Returns where the settings of a run are: in `config.json`.

    In a network's folder, as it is on the Hub, that is Keras's, and ours is `nasnet_keras.json`.
    """
    return directory / (SETTINGS_NAME if is_unpacked(directory) else CONFIG_NAME)


def read_config(cls: type[_Config], directory: Path) -> _Config | None:
    """Reads the settings of a run, see `config_path`; `None` where there are none.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or of another kind of run.
    """
    path = config_path(directory)
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
        path: A run directory, a `.keras` file, or a network on the Hub, `"hf://owner/name"`, which
            is downloaded if need be.
        prefer_best: Of a run, take the best checkpoint where one was scored, else the last.

    Returns:
        The file, or a folder of a network's files.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It cannot be downloaded.
        ValueError: It is no address, or no network is there.
    """
    if is_hub_address(path):
        return download_network(os.fspath(path))
    path = Path(path)
    if path.is_dir() and not is_unpacked(path):
        best = path / BEST_NAME
        path = best if prefer_best and best.exists() else path / CHECKPOINT_NAME
    if not path.exists():
        raise FileNotFoundError(2, "no such trained network", str(path))
    return path


def run_of(checkpoint: Path) -> Path | None:
    """Returns the run directory of a checkpoint: with it, or above where it is a kept one."""
    if is_unpacked(checkpoint):
        return checkpoint
    folders = [checkpoint.parent]
    if checkpoint.parent.name == COPIES_NAME:
        folders.append(checkpoint.parent.parent)
    return next((folder for folder in folders if (folder / CONFIG_NAME).is_file()), None)
