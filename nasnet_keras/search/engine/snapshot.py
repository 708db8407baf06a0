"""A strategy's state on disk, so that a long journal need not be replayed into it."""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any, NamedTuple

import numpy as np

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.search.engine.journal import Place


class Snapshot(NamedTuple):
    """A strategy's `state_dict` and its position in the journal."""

    place: Place
    state: dict[str, Any]


def save_snapshot(path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Writes one npz file: the arrays under their names, the rest as JSON.

    Raises:
        OSError: It cannot be written.
    """
    arrays: dict[str, Any] = {
        k: v for k, v in snapshot.state.items() if isinstance(v, np.ndarray | np.generic)
    }
    rest = {k: v for k, v in snapshot.state.items() if k not in arrays}
    text = json.dumps({"place": snapshot.place, "state": rest}).encode()
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **{f"array/{k}": v for k, v in arrays.items()}, rest=np.array(text))
        file.flush()
        os.fsync(file.fileno())


def load_snapshot(path: str | os.PathLike[str]) -> Snapshot | None:
    """Reads what `save_snapshot` wrote; `None` if missing or unusable."""
    try:
        with np.load(path, allow_pickle=False) as file:
            rest = parse_json(file["rest"].item())
            state = {
                k.removeprefix("array/"): file[k] for k in file.files if k.startswith("array/")
            }
            if not all(np.isfinite(v).all() for v in state.values() if v.dtype.kind == "f"):
                return None
            return Snapshot(Place(*rest["place"]), {**rest["state"], **state})
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile):
        return None
