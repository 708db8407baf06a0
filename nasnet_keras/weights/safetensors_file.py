"""The arrays of a `.safetensors` file: a JSON header and raw numbers, nothing to run.

The format is small enough to be read here, so that nobody needs another library for it. Source: the
format's description at https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np

from nasnet_keras.files.input_files import check_file
from nasnet_keras.weights.assign import StoredArray

_LENGTH = 8
_MOST_HEADER = 100 << 20
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


def open_safetensors(path: str | os.PathLike[str]) -> dict[str, StoredArray]:
    """Lists the arrays of a file; each is read when asked for.

    Args:
        path: The file.

    Returns:
        The arrays by name.

    Raises:
        OSError: There is no such file, or it is no file.
        ValueError: It is cut short, damaged or of another kind.
    """
    check_file(path)
    source = os.fspath(path)
    size = os.path.getsize(source)
    with open(source, "rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        start = _LENGTH + length
        if size < _LENGTH or length > _MOST_HEADER or start > size:
            raise ValueError(f"{source} is not a complete .safetensors file")
        try:
            header = json.loads(file.read(length))
            entries = {
                name: _checked(entry, size - start)
                for name, entry in header.items()
                if name != "__metadata__"
            }
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(
                f"{source} is not a complete .safetensors file: its header says {error!r}"
            ) from error

    def stored(dtype: str, shape: tuple[int, ...], offset: int) -> StoredArray:
        def read() -> np.ndarray:
            count = math.prod(shape)
            values = np.fromfile(source, _DTYPES[dtype], count, offset=start + offset)
            if values.size != count:
                raise ValueError(f"{source} is cut short")
            if dtype == "BF16":
                # The upper half of a float32.
                values = (values.astype("<u4") << 16).view("<f4")
            return values.reshape(shape)

        return StoredArray(shape, read, is_float=not dtype.startswith("I"))

    return {name: stored(*entry) for name, entry in entries.items()}


def _checked(entry: Any, size: int) -> tuple[str, tuple[int, ...], int]:
    """Returns the type, shape and first byte of an array; raises an error for any fault in it."""
    dtype, shape = entry["dtype"], tuple(entry["shape"])
    first, last = entry["data_offsets"]
    whole = all(type(number) is int and number >= 0 for number in (*shape, first, last))
    length = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if not whole or last - first != length or last > size:
        raise ValueError(f"bytes {first} to {last} of {size} for {dtype} of shape {shape}")
    return dtype, shape, first
