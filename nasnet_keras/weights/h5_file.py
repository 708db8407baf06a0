"""The arrays of an HDF5 file, with nothing followed, nothing unpickled and nothing unpacked."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from nasnet_keras.files.input_files import check_file
from nasnet_keras.weights.assign import StoredArray, first_line
from nasnet_keras.weights.values import is_number

if TYPE_CHECKING:
    import h5py

_UNPACKED_TIMES = 10
_UNPACKED_BYTES = 256 << 20


def most_unpacked(size: int) -> int:
    """Returns how many bytes a file of weights may hold unpacked.

    Keras packs nothing, and weights that another program packed shrink by a tenth; moments that are
    still zero vanish. The first 256 MiB are nothing that hurts.

    Args:
        size: Bytes of the file.
    """
    return _UNPACKED_TIMES * size + _UNPACKED_BYTES


@contextmanager
def open_h5(path: str | os.PathLike[str]) -> Iterator[dict[str, StoredArray]]:
    """Opens an HDF5 file and lists its arrays.

    Links are not followed: a file can name any other file of the machine in one.

    Args:
        path: The file.

    Yields:
        `{"group/array": StoredArray}`; arrays are read only while the file is open.

    Raises:
        OSError: There is no such file.
        ValueError: See `list_arrays`.
    """
    check_file(path)
    source = os.fspath(path)
    with list_arrays(source, source, os.path.getsize(source)) as arrays:
        yield arrays


@contextmanager
def list_arrays(file: str | IO[bytes], source: str, size: int) -> Iterator[dict[str, StoredArray]]:
    """Lists the arrays of an HDF5 file, of which none is read yet.

    Args:
        file: The file, or its path.
        source: What an error calls it.
        size: Its bytes.

    Yields:
        `{"group/array": StoredArray}`.

    Raises:
        ValueError: It is no HDF5 file, or is damaged; it keeps arrays elsewhere, has one that holds
            no numbers, or unpacks to far more than it has.
    """
    import h5py

    arrays: dict[str, StoredArray] = {}
    unpacked = 0

    def collect(name: str, node: Any) -> None:
        nonlocal unpacked
        if isinstance(node, h5py.Dataset):
            dtype, shape = _checked_type(source, name, node)
            unpacked += math.prod(shape) * dtype.itemsize
            arrays[name] = StoredArray(
                shape, _reader(source, name, node, dtype), dtype.kind not in "iu"
            )

    try:
        opened = h5py.File(file, "r")
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{source} is not a readable HDF5 file: {first_line(error)}") from error
    with opened:
        try:
            opened.visititems(collect)
        except (OSError, RuntimeError, KeyError, TypeError) as error:
            raise ValueError(f"{source} is damaged: {first_line(error)}") from error
        if unpacked > most_unpacked(size):
            raise ValueError(
                f"{source} has {size:,} bytes and unpacks to {unpacked:,}; at most "
                f"{most_unpacked(size):,} are read"
            )
        yield arrays


def _checked_type(
    source: str, name: str, dataset: h5py.Dataset
) -> tuple[np.dtype, tuple[int, ...]]:
    """Returns what an array holds, and its shape; refuses what is no array of numbers here."""
    # Each of these properties is a call to the library.
    dtype, shape = dataset.dtype, dataset.shape
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{source} keeps array {name!r} in another file")
    # How Keras marks what HDF5 has no type for.
    if dtype.kind == "V" and dataset.attrs.get("dtype") == "bfloat16":
        return np.dtype("bfloat16"), tuple(shape)
    if shape is None or not is_number(dtype):
        what = "nothing" if shape is None else f"{dtype} values"
        raise ValueError(f"{source} holds {what} at {name!r}, which are no weights")
    return dtype, tuple(shape)


def _reader(
    source: str,
    name: str,
    dataset: h5py.Dataset,
    dtype: np.dtype,
) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        try:
            return np.array(dataset, dtype)
        except (OSError, RuntimeError, TypeError) as error:
            raise ValueError(f"{source} is damaged at {name!r}: {first_line(error)}") from error

    return read
