"""Files from the network: continued where they broke off, and there whole or not at all.

`keras.utils.get_file` starts anew each time and leaves what it has under the file's own name.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nasnet_keras.files.atomic_files import atomic_write, make_directory
from nasnet_keras.text.plain_text import say
from nasnet_keras.weights.assign import first_line

_SECONDS = 30
_CHUNK = 1 << 20


def download(url: str, target: str | os.PathLike[str], md5: str | None = None) -> Path:
    """Downloads a file, unless it is there. Only one process may do so at a time.

    What has arrived lies in `.<name>.part` beside it until all of it has; the next call continues
    there if the server has the same file still. Where no digest is published, that of the first
    download is kept in `<name>.sha256` and compared with that of every later one.

    Args:
        url: The address.
        target: Where to put it.
        md5: Its digest, where one is known.

    Returns:
        The file.

    Raises:
        ConnectionError: It cannot be downloaded; the error says what to put where.
        ValueError: It is not the file that the digest is of.
        OSError: It cannot be written.
    """
    target = Path(target)
    if target.exists():
        check_digest(target, md5)
        return target
    make_directory(target.parent)
    part = target.with_name(f".{target.name}.part")
    try:
        _fetch(url, part)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        digest = f" (md5 {md5})" if md5 else ""
        raise ConnectionError(
            f"cannot download {target.name} ({first_line(error)}): try again, or put {url}{digest} "
            f"at {target}"
        ) from error
    try:
        check_digest(part, md5, target)
    except ValueError:
        _remove(part)
        raise
    os.replace(part, target)
    _remove(part)
    return target


def check_digest(path: Path, md5: str | None, target: Path | None = None) -> None:
    """Compares a file with its digest: the one given, or the one kept beside it.

    Args:
        path: The file.
        md5: Its digest; without it the SHA-256 in `<name>.sha256`, which is written if it is not
            there.
        target: The name that it will have.

    Raises:
        ValueError: It is another file.
    """
    target = target or path
    kept = target.with_name(f"{target.name}.sha256")
    kind = "md5" if md5 else "sha256"
    digest = hashlib.new(kind)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    found = digest.hexdigest()
    if md5 is None and not kept.exists():
        with atomic_write(kept) as temporary:
            temporary.write_text(f"{found}  {target.name}\n")
    expected = md5 or kept.read_text().partition(" ")[0]
    if found != expected:
        source = "" if md5 else f", which {kept} has from its first download"
        raise ValueError(
            f"{target} is not the published file: its {kind} is {found} instead of {expected}"
            f"{source}; delete it to download it again"
        )


def discard(target: Path) -> None:
    """Removes a downloaded file that turned out to be damaged, and its digest."""
    target.unlink(missing_ok=True)
    target.with_name(f"{target.name}.sha256").unlink(missing_ok=True)


def _fetch(url: str, part: Path) -> None:
    """Completes a file; raises an error of the network if it breaks off."""
    version = part.with_name(f"{part.name}.version")
    start = part.stat().st_size if part.exists() and version.exists() else 0
    headers = {"User-Agent": "nasnet-keras"}
    if start:
        headers["Range"] = f"bytes={start}-"
        # The server sends the whole of it if it has another file now.
        headers["If-Range"] = version.read_text()
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise ConnectionError(f"{url}: {error.code} {error.reason}") from error
        _remove(part)
        return _fetch(url, part)
    with response:
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if not start or response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
            _begin(part, version, tag)
        elif tag not in (None, headers["If-Range"]):
            # The rest of another file, of a server that does not know the condition.
            _remove(part)
            return _fetch(url, part)
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with part.open("ab") as file:
            _copy(response, file, start, total, part.name[1:].removesuffix(".part"))
    size = part.stat().st_size
    if total is not None and size != total:
        raise ConnectionError(f"{url} broke off after {size:,} of {total:,} bytes")


def _begin(part: Path, version: Path, tag: str | None) -> None:
    """Empties a file before its new version is noted, so that no end in between mixes two files."""
    version.unlink(missing_ok=True)
    part.write_bytes(b"")
    if tag and not tag.startswith("W/"):
        version.write_text(tag)


def _copy(response: Any, file: IO[bytes], start: int, total: int | None, name: str) -> None:
    with _progress(name, start, total) as advance:
        while chunk := response.read1(_CHUNK):
            file.write(chunk)
            advance(len(chunk))


@contextmanager
def _progress(name: str, start: int, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows how far it is on the terminal; where there is none, a line says what begins."""
    from rich.console import Console
    from rich.progress import DownloadColumn, TransferSpeedColumn

    from nasnet_keras.text.progress_bar import progress_bar

    console = Console(stderr=True)
    if not console.is_terminal:
        size = "" if total is None else f" of {total:,} bytes"
        say(f"downloading {name}{size}{f', from {start:,} on' if start else ''}", file=sys.stderr)
    columns = ("{task.description}", DownloadColumn(), TransferSpeedColumn())
    with progress_bar(console, *columns, transient=False) as progress:
        task = progress.add_task(f"downloading {name}", completed=start, total=total)
        yield lambda count: progress.advance(task, count)


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(f"{part.name}.version").unlink(missing_ok=True)
