"""What JAX has compiled, kept for the next start of a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from nasnet_keras.files.atomic_files import make_directory
from nasnet_keras.files.keras_home import keras_home

_MOST_BYTES = 2 * 2**30
# Up to 0.6.2, the last for Python 3.10, a program that JAX has read back overwrites memory that is
# not its own on a CPU.
FIRST_VERSION = (0, 7)


def keep_compiled_programs() -> None:
    """Has JAX keep the programs that it compiles on disk, and read them the next time.

    They are in `$KERAS_HOME/nasnet_keras/jax_programs`, 2 GiB at most, the oldest going first. JAX
    itself knows which program, version of it and processor each is for. Nothing is done on another
    backend, before JAX 0.7, where `JAX_COMPILATION_CACHE_DIR` names a directory, where
    `JAX_ENABLE_COMPILATION_CACHE=false` asks for none, or where the directory cannot be written.

    To be called before anything is compiled.
    """
    if keras.backend.backend() != "jax":
        return
    import jax

    if jax.__version_info__ < FIRST_VERSION:
        return
    settings: Any = jax.config
    if settings.jax_compilation_cache_dir is not None or not settings.jax_enable_compilation_cache:
        return
    try:
        directory = make_directory(keras_home() / "nasnet_keras" / "jax_programs")
        _remove_oldest(directory, _MOST_BYTES)
    except OSError:
        return
    settings.update("jax_compilation_cache_dir", str(directory))


def _remove_oldest(directory: Path, most_bytes: int) -> None:
    """Removes files, the oldest first, until the others are within a size.

    JAX could do so itself, but needs another library for it.
    """
    files = [(path, path.stat()) for path in directory.iterdir() if path.is_file()]
    total = 0
    for path, found in sorted(files, key=lambda file: file[1].st_mtime, reverse=True):
        total += found.st_size
        if total > most_bytes:
            path.unlink(missing_ok=True)
