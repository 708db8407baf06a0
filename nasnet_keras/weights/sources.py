"""The arrays of any file that holds weights by the original's names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.scratch import scratch
from nasnet_keras.weights.archives import is_archive, unpack
from nasnet_keras.weights.assign import StoredArray
from nasnet_keras.weights.h5_file import open_h5
from nasnet_keras.weights.slim_names import VARIABLE_WORDS
from nasnet_keras.weights.tensorflow_files import open_tensorflow_file

CONVERTED = ".weights.h5"


@contextmanager
def open_source(
    path: str | os.PathLike[str],
) -> Iterator[tuple[str, dict[str, StoredArray]]]:
    """Opens a checkpoint, a frozen graph, an archive of either, or what `convert` wrote.

    Args:
        path: As in `open_tensorflow_file`; or a tar archive; or a converted `.weights.h5`.

    Yields:
        What was found, and its arrays by name, which are read only within the block.

    Raises:
        OSError: There is no such file.
        ValueError: It is damaged, or of another kind.
        ImportError: It is TensorFlow's, which is not installed.
    """
    if os.fspath(path).endswith(CONVERTED):
        with open_h5(path) as arrays:
            yield os.fspath(path), arrays
    elif is_archive(path):
        with scratch(), tempfile.TemporaryDirectory() as folder:
            try:
                unpacked = unpack(path, Path(folder))
                yield os.fspath(path), open_tensorflow_file(unpacked)[1]
            except ValueError as error:
                # What is gone when the error is read says nothing.
                error.args = (str(error).replace(folder, os.fspath(path)),)
                raise
    else:
        yield open_tensorflow_file(path)


def is_converted(path: str | os.PathLike[str]) -> bool:
    """Returns whether a `.weights.h5` file is one that `convert` wrote.

    Raises:
        OSError: There is no such file.
        ValueError: It is no HDF5 file, or is damaged.
    """
    with open_h5(path) as arrays:
        return bool(arrays) and all(name.rpartition("/")[2] in VARIABLE_WORDS for name in arrays)


def convert(arrays: Mapping[str, StoredArray], path: str | os.PathLike[str]) -> None:
    """Writes arrays by the original's names to a file that is read without TensorFlow.

    Args:
        arrays: The arrays.
        path: A `.weights.h5` file.

    Raises:
        OSError: It cannot be written.
        ValueError: An array cannot be read.
    """
    import h5py

    with atomic_write(path) as temporary, h5py.File(temporary, "w") as file:
        for name, array in arrays.items():
            file[name] = array.read()
