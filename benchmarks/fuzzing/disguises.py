"""What can stand where a file is expected, and is none."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path


def replace_path(path: Path, source: random.Random) -> str:
    """Puts something else in the place of a file or directory; returns what."""
    what = source.choice(list(_DISGUISES))
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    _DISGUISES[what](path)
    return what


def put_odd_things(folder: Path) -> None:
    """Makes a folder of what `values.PATHS` names."""
    folder.mkdir()
    for name in (
        "folder",
        "folder.json",
        "folder.keras",
        "folder.html",
        "folder.svg",
        "a[",
        "a[/b]c",
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("file", "text.json", "text.keras", "text.h5", "text.weights.h5"):
        (folder / name).write_text("this is a text\n")
    (folder / "empty.json").touch()
    for name in ("pipe", "pipe.json", "pipe.keras", "pipe.weights.h5"):
        os.mkfifo(folder / name)
    for name in ("nowhere", "nowhere.json"):
        (folder / name).symlink_to("not there")
    for name in ("circle", "circle.json"):
        (folder / name).symlink_to(name)
    # Some file systems refuse names that are not UTF-8.
    with contextlib.suppress(OSError):
        (folder / "\udcff").mkdir()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(path.parent, os.O_RDONLY)
        try:
            # A socket's path may have 108 bytes only.
            server.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


_DISGUISES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a directory": lambda path: path.mkdir(),
    "a directory with a file": lambda path: (path.mkdir(), (path / "x").write_text("x")),
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a link to nowhere": lambda path: path.symlink_to("not there"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to /dev/null": lambda path: path.symlink_to("/dev/null"),
    "empty": lambda path: path.touch(),
}
