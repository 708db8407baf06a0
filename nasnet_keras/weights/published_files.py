"""The published files in Keras's cache directory: downloaded once, converted once."""

from __future__ import annotations

from pathlib import Path

from nasnet_keras.files.directory_lock import locked_output
from nasnet_keras.files.keras_home import keras_home
from nasnet_keras.weights.archives import ENDINGS, is_archive
from nasnet_keras.weights.catalogue import PublishedWeights
from nasnet_keras.weights.download import discard, download
from nasnet_keras.weights.slim_checkpoint import choose_arrays
from nasnet_keras.weights.sources import CONVERTED, convert, open_source


def cache_directory() -> Path:
    """Returns where Keras keeps files of weights: `$KERAS_HOME/models` or `~/.keras/models`."""
    return keras_home() / "models"


def cached_file(url: str, name: str, md5: str | None) -> Path:
    """Returns a file of the cache, downloaded if it is not there; see `download`."""
    file = cache_directory() / name
    with locked_output(file, wait=True):
        return download(url, file, md5)


def published_file(entry: PublishedWeights) -> Path:
    """Returns a published file, downloaded if it is not in the cache.

    An archive is converted into a `.weights.h5` beside it, with the moving averages where it has
    them; once that is there, neither archive nor TensorFlow is needed. Of several processes that
    ask at once, one does the work and the others wait for it.

    Args:
        entry: Which one.

    Returns:
        The file; of an archive, what it was converted into.

    Raises:
        ConnectionError: The download failed; the error says which file to put where.
        ValueError: The file is damaged or another one.
        OSError: It cannot be written.
    """
    file = cache_directory() / entry.file
    if not is_archive(file):
        return cached_file(entry.url, entry.file, entry.md5)
    ending = next(ending for ending in ENDINGS if file.name.endswith(ending))
    converted = file.with_name(file.name.removesuffix(ending) + CONVERTED)
    if converted.exists():
        return converted
    with locked_output(file, wait=True):
        if not converted.exists():
            was_there = file.exists()
            download(entry.url, file, entry.md5)
            try:
                _convert(file, converted)
            except ValueError:
                if not was_there:
                    discard(file)
                raise
    return converted


def _convert(archive: Path, converted: Path) -> None:
    with open_source(archive) as (_, found):
        arrays, _, _ = choose_arrays(found, use_moving_averages=None)
        convert(arrays, converted)
