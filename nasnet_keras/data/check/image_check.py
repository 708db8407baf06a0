"""Decodes image files in full, in parallel, and says which of them cannot be."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image
from rich import progress
from rich.console import Console

from nasnet_keras.data.check.checked_files import (
    CheckedFiles,
    CheckedImage,
    Stamp,
    cache_path,
    stamp_of,
)
from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.data.read_ahead import cores, results_in_order
from nasnet_keras.files.input_files import read_file
from nasnet_keras.text.progress_bar import progress_bar

_LOOKED_UP_AT_ONCE = 500
_REMEMBERED_AT_ONCE = 64
_AHEAD = 2  # Images waiting for each thread.
_DIGEST_BYTES = 16


def check_image(path: str) -> CheckedImage:
    """Reads a file and decodes it as training does; nothing but a regular file is opened.

    Args:
        path: The file.
    """
    try:
        encoded = read_file(path)
    except OSError as error:
        return CheckedImage(f"cannot be read: {error.strerror}")
    except ValueError as error:
        return CheckedImage(f"cannot be read: {error}")
    if not encoded:
        return CheckedImage("is empty")
    digest = hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).digest()
    try:
        _verify_png(encoded)
        height, width, _ = decode_image(encoded).shape
    except Exception as error:  # Whatever damage makes of Pillow's readers.
        reason = " ".join(str(error).split()) or type(error).__name__
        return CheckedImage(reason.removeprefix("not a readable image: "), digest=digest)
    return CheckedImage("", height, width, digest)


def checked_images(
    paths: Iterable[str], seconds: float | None = None, console: Console | None = None
) -> Iterator[tuple[str, CheckedImage]]:
    """Checks image files, all cores at a time; those found sound before are not read again.

    Args:
        paths: The files.
        seconds: After how long to end with what was checked by then; `None`: all are.
        console: Where to show how far it is, if that is a terminal; `None` for standard error.

    Yields:
        The path of each file that was checked, as given, and what was found.
    """
    # The same file may be in two splits.
    by_path = {os.path.abspath(path): path for path in paths}
    deadline = float("inf") if seconds is None else time.monotonic() + seconds
    cache, threads = CheckedFiles(cache_path()), cores()
    pool = ThreadPoolExecutor(threads)
    try:
        with _bar(console) as bar:
            task = bar.add_task("", total=len(by_path))
            for path, image in _checked(list(by_path), cache, pool, threads, deadline):
                bar.advance(task)
                yield by_path[path], image
    finally:
        pool.shutdown(cancel_futures=True)
        cache.close()


def _checked(
    paths: Sequence[str],
    cache: CheckedFiles,
    pool: ThreadPoolExecutor,
    threads: int,
    deadline: float,
) -> Iterator[tuple[str, CheckedImage]]:
    for start in range(0, len(paths), _LOOKED_UP_AT_ONCE):
        if time.monotonic() > deadline:
            return
        part = paths[start : start + _LOOKED_UP_AT_ONCE]
        stamps = {path: stamp for path in part if (stamp := stamp_of(path)) is not None}
        known = cache.known(stamps)
        yield from known.items()
        sound: dict[str, tuple[Stamp, CheckedImage]] = {}
        try:
            unknown = [path for path in part if path not in known]
            in_time = itertools.takewhile(lambda _: time.monotonic() <= deadline, unknown)
            for path, image in results_in_order(pool, check_image, in_time, threads * _AHEAD):
                if not image.problem and path in stamps:
                    sound[path] = stamps[path], image
                if len(sound) >= _REMEMBERED_AT_ONCE:
                    cache.remember(sound)
                    sound = {}
                yield path, image
        finally:
            # Also where whoever asked wants no more.
            cache.remember(sound)


def _verify_png(encoded: bytes) -> None:
    """Raises an error if a checksum of a PNG is wrong, as TensorFlow's decoder does."""
    if encoded.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(encoded), formats=["PNG"]) as image:
            image.verify()


def _bar(console: Console | None) -> progress.Progress:
    return progress_bar(
        console or Console(stderr=True),
        progress.TextColumn("checking"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("images, left"),
        progress.TimeRemainingColumn(),
    )
