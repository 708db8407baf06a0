"""Where a detector's run keeps its checkpoints and its configuration."""

from __future__ import annotations

import os
from pathlib import Path

from nasnet_keras.classification.trained_model import CHECKPOINT_NAME, CONFIG_NAME

BEST_NAME = "best.keras"


def find_checkpoint(path: str | os.PathLike[str]) -> Path:
    """Returns a run's best detector, or its last where none was scored; a file is itself.

    Raises:
        FileNotFoundError: There is no such file.
    """
    path = Path(path)
    if path.is_dir():
        best = path / BEST_NAME
        path = best if best.exists() else path / CHECKPOINT_NAME
    if not path.exists():
        raise FileNotFoundError(2, "no such trained detector", str(path))
    return path


def run_of(checkpoint: Path) -> Path | None:
    """Returns the run directory of a checkpoint: with it, or above where it is a kept one."""
    folders = [checkpoint.parent]
    if checkpoint.parent.name == "checkpoints":
        folders.append(checkpoint.parent.parent)
    return next((folder for folder in folders if (folder / CONFIG_NAME).is_file()), None)
