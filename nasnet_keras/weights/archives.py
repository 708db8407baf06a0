"""Archives of checkpoints: only plain files come out of them, and only those that hold weights."""

from __future__ import annotations

import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from nasnet_keras.files.input_files import check_file
from nasnet_keras.weights.assign import first_line
from nasnet_keras.weights.h5_file import most_unpacked
from nasnet_keras.weights.tensorflow_files import GRAPH_NAME

ENDINGS = (".tar.gz", ".tgz", ".tar")
_MEMBERS = 10_000
_CHUNK = 1 << 20


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Returns whether a path is named as an archive."""
    return os.fspath(path).endswith(ENDINGS)


def unpack(archive: str | os.PathLike[str], folder: Path) -> Path:
    """Unpacks the checkpoint of an archive, or its frozen graph if it has no checkpoint.

    Nothing is written before every member is looked at.

    Args:
        archive: A tar archive, compressed or not.
        folder: An empty directory.

    Returns:
        The directory below it that holds the files.

    Raises:
        OSError: There is no such file, or it is no file.
        ValueError: It is cut short or damaged; a member lies outside of it or is neither file nor
            directory; it unpacks to far more than it has; it holds neither checkpoint nor graph.
    """
    check_file(archive)
    path = os.fspath(archive)
    damage = (tarfile.TarError, EOFError, zlib.error, OSError)
    try:
        wanted = _wanted(path)
        with tarfile.open(path, "r:*") as tar:
            for member in tar:
                if member.name in wanted:
                    tar.extract(member, folder, filter="data")
    except damage as error:
        raise ValueError(
            f"{path} is not a complete archive (cut short, damaged, or another format): "
            f"{first_line(error)}"
        ) from error
    return (folder / next(iter(wanted))).parent


def _wanted(path: str) -> list[str]:
    """Looks at every member, to the archive's last byte; returns the names of those to unpack."""
    most, total = most_unpacked(os.path.getsize(path)), 0
    names: list[str] = []
    with tarfile.open(path, "r:*") as tar:
        for count, member in enumerate(tar):
            _check_member(path, member)
            total += member.size
            if total > most or count >= _MEMBERS:
                raise ValueError(
                    f"{path} has {os.path.getsize(path):,} bytes and unpacks to more than {most:,} "
                    f"in {_MEMBERS:,} files"
                )
            if member.isfile():
                names.append(member.name)
        # The checksum of the compression comes after the last member.
        rest = tar.fileobj
        while rest is not None and total <= most and (chunk := rest.read(_CHUNK)):
            total += len(chunk)
    folders = {os.path.dirname(name) for name in names if name.endswith(".index")}
    if len(folders) > 1:
        raise ValueError(f"{path} holds checkpoints in {len(folders)} directories")
    for at in folders:
        inside = [name for name in names if os.path.dirname(name) == at]
        # One checkpoint needs no line that names it, and as a rule names its maker's directories.
        several = sum(name.endswith(".index") for name in inside) > 1
        endings = (".index", "checkpoint") if several else (".index",)
        return [name for name in inside if name.endswith(endings) or ".data-" in name]
    graphs = [name for name in names if os.path.basename(name) == GRAPH_NAME]
    if len(graphs) != 1:
        raise ValueError(f"{path} holds neither a checkpoint nor a {GRAPH_NAME}")
    return graphs


def _check_member(path: str, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{path} is refused: its member {member.name!r} would lie outside of it")
    if not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "no plain file"
        raise ValueError(f"{path} is refused: its member {member.name!r} is {kind}")
