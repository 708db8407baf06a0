"""What is in a `.keras` file, or in a folder of its members, looked at before Keras reads it."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from nasnet_keras.files.input_files import check_file
from nasnet_keras.settings import shown
from nasnet_keras.weights.assign import first_line
from nasnet_keras.weights.h5_file import list_arrays, most_unpacked

CONFIG_NAME = "config.json"
_WEIGHTS_NAME = "model.weights.h5"
UNPACKED_NAMES = (CONFIG_NAME, "metadata.json", _WEIGHTS_NAME)
"""What a folder has that Keras loads as a network: the members of a `.keras` file."""
# `nasnet_mobile`'s has 30 kB.
_MOST_JSON = 16 << 20
# What says how wide a layer is, and which widths are allowed whatever the arrays are.
_WIDTHS = ("filters", "units", "classes")
_WIDE = 8_192
# Of all networks in the file together.
_MOST_BLOCKS = 10_000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LONGEST_NAME = 255  # Bytes, on all usual disks.
# What Keras, `zip` and Python write; the others unpack to any size before they are cut off.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_unpacked(path: str | os.PathLike[str]) -> bool:
    """Returns whether a folder holds the members of a `.keras` file, as on the Hugging Face Hub."""
    return all((Path(path) / name).is_file() for name in UNPACKED_NAMES)


def check_keras_file(path: str | os.PathLike[str]) -> None:
    """Refuses a `.keras` file that is none, or that asks for far more than it has.

    Its arrays are listed and not read, and no layer is made.

    Args:
        path: The file, or a folder of its members.

    Raises:
        OSError: There is no such file.
        ValueError: It is damaged or unpacks to too much, an array in it is no weight, or its layers
            are wider than its arrays.
    """
    source = os.fspath(path)
    with _open(path) as members:
        config = _read(members, CONFIG_NAME, source)
        widest = _WIDE
        weights = members / _WEIGHTS_NAME
        if weights.is_file():
            # Not from the archive, which is asked for a few bytes thousands of times.
            file = io.BytesIO(weights.read_bytes())
            packed = os.path.getsize(weights if is_unpacked(path) else path)
            with list_arrays(file, f"{source} ({_WEIGHTS_NAME})", packed) as arrays:
                widest = max(widest, *(max(a.shape, default=0) for a in arrays.values()), 0)
        _check_layers(config, widest, source)


def read_json_member(path: str | os.PathLike[str], name: str) -> Any:
    """Reads a JSON file out of a `.keras` file; `None` where it has none of that name.

    Args:
        path: The file, or a folder of its members.
        name: The member.

    Raises:
        OSError: There is no such file.
        ValueError: It is no complete `.keras` file.
    """
    with _open(path) as members:
        return _read(members, name, os.fspath(path))


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
def _open(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Gives the members of a file as `zipfile.Path` does, and those of a folder as `Path`."""
    if is_unpacked(path):
        for name in UNPACKED_NAMES:
            check_file(Path(path) / name)
        yield Path(path)
        return
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
            _check_names([entry.filename for entry in entries], source)
            yield zipfile.Path(archive)
    # What `zipfile` raises for damage depends on where it is.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(
            f"{source} is not a complete .keras file (truncated, or another format): "
            f"{first_line(error)}"
        ) from error


def _check_names(names: list[str], source: str) -> None:
    """Refuses members that no folder can hold: Keras leaves one behind where it fails at them."""
    files = {name for name in names if not name.endswith("/")}
    for name in names:
        path = PurePosixPath(name)
        is_below_file = any(str(parent) in files for parent in path.parents)
        if is_below_file or any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
            raise ValueError(f"{source} has a member that cannot be unpacked: {shown(name)}")


def _read(members: Any, name: str, source: str) -> Any:
    """Returns what a JSON member says; `None` where there is none."""
    member = members / name
    if not member.is_file():
        return None
    with member.open("rb") as file:
        text = file.read(_MOST_JSON + 1)
    if len(text) > _MOST_JSON:
        raise ValueError(f"{source}: {name} has more than the {_MOST_JSON:,} bytes that are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: {name} is not JSON: {first_line(error)}") from error
