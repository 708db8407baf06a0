"""The arrays of an HDF5 file, with nothing followed and nothing unpickled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nasnet_keras.weights.assign import StoredArray

if TYPE_CHECKING:
    import h5py


@contextmanager
def open_h5(path: str | os.PathLike[str]) -> Iterator[dict[str, StoredArray]]:
    """Opens an HDF5 file and lists its arrays.

    Links are not followed: a file can name any other file of the machine in one.

    Args:
        path: The file.

    Yields:
        `{"group/array": StoredArray}`; arrays are read only while the file is open.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no HDF5 file, or is damaged, or keeps arrays elsewhere.
    """
    import h5py

    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {os.fspath(path)}")
    arrays: dict[str, StoredArray] = {}

    def collect(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            if node.external or node.is_virtual:
                raise ValueError(f"{os.fspath(path)} keeps array {name!r} in another file")
            arrays[name] = StoredArray(tuple(node.shape), _reader(path, name, node))

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{os.fspath(path)} is not a readable HDF5 file: {error}") from error
    with file:
        try:
            file.visititems(collect)
        except (OSError, RuntimeError, KeyError) as error:
            raise ValueError(f"{os.fspath(path)} is damaged: {error}") from error
        yield arrays


def _reader(path: str | os.PathLike[str], name: str, dataset: h5py.Dataset) -> Any:
    def read() -> Any:
        try:
            return dataset[()]
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{os.fspath(path)} is damaged at {name!r}: {error}") from error

    return read
