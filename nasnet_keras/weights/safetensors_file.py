"""The arrays of a `.safetensors` file: raw numbers by name, nothing to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nasnet_keras.files.input_files import check_file
from nasnet_keras.weights.assign import StoredArray, first_line


@contextmanager
def open_safetensors(path: str | os.PathLike[str]) -> Iterator[dict[str, StoredArray]]:
    """Opens a file and lists its arrays; PyTorch is not needed.

    Args:
        path: The file.

    Yields:
        The arrays by name, which are read only within the block. Those of bfloat16 have
        `ml_dtypes`' type of that name.

    Raises:
        OSError: There is no such file, or it is no file.
        ValueError: It is cut short, damaged or of another kind.
        ImportError: safetensors is not installed.
    """
    try:
        # Importing ml_dtypes, which Keras needs too, tells NumPy what bfloat16 is.
        import ml_dtypes  # noqa: F401
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise ImportError(
            ".safetensors files need: pip install 'nasnet-keras[timm]' (safetensors)"
        ) from error

    check_file(path)
    source = os.fspath(path)
    try:
        opened = safe_open(source, framework="np")
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{source} is not a complete .safetensors file: {first_line(error)}"
        ) from error

    def stored(name: str) -> StoredArray:
        def read() -> np.ndarray:
            try:
                return file.get_tensor(name)
            # A type that NumPy does not have, as those of 8 bits.
            except (SafetensorError, TypeError, AttributeError) as error:
                raise ValueError(f"{source} is unreadable at {name!r}: {error}") from error

        entry: Any = file.get_slice(name)
        is_float = entry.get_dtype().startswith(("F", "BF"))
        return StoredArray(tuple(entry.get_shape()), read, is_float)

    with opened as file:
        yield {name: stored(name) for name in file.keys()}  # noqa: SIM118
