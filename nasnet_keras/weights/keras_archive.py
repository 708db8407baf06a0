"""What is in a `.keras` file, looked at before Keras unpacks it."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nasnet_keras.files.input_files import check_file
from nasnet_keras.settings import shown
from nasnet_keras.weights.assign import first_line
from nasnet_keras.weights.h5_file import list_arrays, most_unpacked

CONFIG_NAME = "config.json"
_WEIGHTS_NAME = "model.weights.h5"
# `nasnet_mobile`'s has 30 kB.
_MOST_JSON = 16 << 20
# What says how wide a layer is, and which widths are allowed whatever the arrays are.
_WIDTHS = ("filters", "units", "classes")
_WIDE = 8_192
# Of all networks in the file together.
_MOST_BLOCKS = 10_000
_HDF5 = b"\x89HDF\r\n\x1a\n"
# What Keras, `zip` and Python write; the others unpack to any size before they are cut off.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_keras_file(path: str | os.PathLike[str]) -> None:
    """Refuses a `.keras` file that is none, or that asks for far more than it has.

    Its arrays are listed and not read, and no layer is made.

    Raises:
        OSError: There is no such file.
        ValueError: It is damaged or unpacks to too much, an array in it is no weight, or its layers
            are wider than its arrays.
    """
    source = os.fspath(path)
    with _open(path) as archive:
        names = archive.namelist()
        config = _read(archive, CONFIG_NAME, source) if CONFIG_NAME in names else None
        widest = _WIDE
        if _WEIGHTS_NAME in names:
            # Not from the archive, which is asked for a few bytes thousands of times.
            file = io.BytesIO(archive.read(_WEIGHTS_NAME))
            name = f"{source} ({_WEIGHTS_NAME})"
            with list_arrays(file, name, os.path.getsize(path)) as arrays:
                widest = max(widest, *(max(a.shape, default=0) for a in arrays.values()), 0)
        _check_layers(config, widest, source)


def read_json_member(path: str | os.PathLike[str], name: str) -> Any:
    """Reads a JSON file out of a `.keras` file; `None` where it has none of that name.

    Raises:
        OSError: There is no such file.
        ValueError: It is no complete `.keras` file.
    """
    with _open(path) as archive:
        return _read(archive, name, os.fspath(path)) if name in archive.namelist() else None


def _check_layers(config: Any, widest: int, source: str) -> None:
    """Refuses layers that the file has no weights for: making them may take all memory, or days."""
    blocks, left = 0, [config]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += part
        if not isinstance(part, dict):
            continue
        left += part.values()
        blocks += len(part["blocks"]) if isinstance(part.get("blocks"), list) else 0
        for key in _WIDTHS:
            if isinstance(part.get(key), int) and part[key] > widest:
                raise ValueError(
                    f"{source}: a layer has {key}={shown(part[key])}, at most {widest:,} fit its "
                    "weights"
                )
    if blocks > _MOST_BLOCKS:
        raise ValueError(f"{source}: its cells have {blocks:,} blocks, at most {_MOST_BLOCKS:,}")


@contextmanager
def _open(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    check_file(path)
    source, size = os.fspath(path), os.path.getsize(path)
    with open(path, "rb") as file:
        if file.read(len(_HDF5)) == _HDF5:
            raise ValueError(
                f"{source} is an HDF5 file, not .keras: nk.create_model(..., weights=path) reads it"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > most_unpacked(size):
                raise ValueError(
                    f"{source} has {size:,} bytes and unpacks to {unpacked:,}; at most "
                    f"{most_unpacked(size):,} are read"
                )
            if any(entry.compress_type not in _METHODS for entry in entries):
                raise ValueError(f"{source} is packed in a way that Keras does not pack")
            yield archive
    # What `zipfile` raises for damage depends on where it is.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"{source} is not a complete .keras file (truncated, or another format): "
            f"{first_line(error)}"
        ) from error


def _read(archive: zipfile.ZipFile, name: str, source: str) -> Any:
    size = archive.getinfo(name).file_size
    if size > _MOST_JSON:
        raise ValueError(f"{source}: {name} has {size:,} bytes; at most {_MOST_JSON:,} are read")
    try:
        return json.loads(archive.read(name))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: {name} is not JSON: {first_line(error)}") from error
