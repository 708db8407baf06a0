"""The files of an export: refused before any work, or there complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.export.runtimes import check_runtime
from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.text.suggestions import unknown_name

CHANNEL_MULTIPLE = 16
"""Channels in multiples of it are faster in ONNX Runtime, and in OpenVINO's bfloat16."""


@dataclass(frozen=True)
class FileFormat:
    """A format that networks are written in.

    Attributes:
        files: What is written, the first one names it.
        precisions: In what the files can compute.
    """

    files: tuple[str, ...]
    precisions: tuple[str, ...]


def check_formats(formats: Sequence[str], precision: str, known: Mapping[str, FileFormat]) -> None:
    """Refuses formats that cannot be written.

    Raises:
        ValueError: There is none, or one is unknown, does not have the precision or needs a library
            that is missing.
    """
    if not formats:
        raise ValueError(f"no format given; expected some of: {', '.join(known)}")
    for name in formats:
        if name not in known:
            raise ValueError(unknown_name("format", name, known))
        precisions = known[name].precisions
        if precision not in precisions:
            raise ValueError(f"{name} has no {precision}: it is written in {', '.join(precisions)}")
        check_runtime(name)


def check_output(output_dir: str | os.PathLike[str], files: Iterable[str], overwrite: bool) -> Path:
    """Refuses a directory that files cannot be written to.

    Args:
        output_dir: The directory.
        files: Their names; those without a suffix are directories.
        overwrite: Whether they may be there.

    Returns:
        The directory, absolute.

    Raises:
        OSError: It cannot be written to, or is a file.
        ValueError: Files would be replaced.
    """
    target = Path(output_dir).absolute()
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(20, "is a file, not a directory", str(output_dir))
    for file in files:
        check_can_write(target / file, directory=not Path(file).suffix)
        if (target / file).exists() and not overwrite:
            raise ValueError(
                f"{target / file} is there already: choose another directory, or overwrite it"
            )
    return target


@contextlib.contextmanager
def complete_files(target: Path, files: Sequence[str]) -> Iterator[Path]:
    """Gives a temporary name for the first of files that belong together, see `atomic_write`.

    Args:
        target: Their directory.
        files: Their names.
    """
    with contextlib.ExitStack() as stack:
        path, *_ = [stack.enter_context(atomic_write(target / file)) for file in files]
        yield path
        if len(files) > 1:
            # The first one appears last. A kill in between leaves none, never an old one beside
            # new weights, which would be read as one network.
            (target / files[0]).unlink(missing_ok=True)
