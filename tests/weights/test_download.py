"""Downloads: what is shown of them, and what an end in the middle leaves."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasnet_keras.weights.catalogue import TIMM, PublishedWeights
from nasnet_keras.weights.download import download
from nasnet_keras.weights.published_files import published_file
from tests.weights.file_server import FileServer, serve

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys
from nasnet_keras.programs.errors import reported
from nasnet_keras.weights.catalogue import PublishedWeights
from nasnet_keras.weights.published_files import published_file
with reported():
    published_file(PublishedWeights("s", "timm", sys.argv[1], "small.bin", 1, "", "", ""))
"""
SIZE = 100_000
HALF = SIZE // 2


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serve(np.random.default_rng(0).bytes(SIZE)) as state:
        yield state


def start(url: str, stderr: int) -> subprocess.Popen:
    """Starts a process that downloads, and imports nothing that is not needed for it."""
    settings = {"KERAS_BACKEND": "numpy", "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", CODE, url]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stderr=stderr)


def wait_for(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_download_leaves_no_file_and_goes_on(
    number: signal.Signals, server: FileServer, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    part = folder / ".small.bin.part"
    server.pauses_after = HALF
    process = start(server.url, subprocess.PIPE)
    wait_for(lambda: part.exists() and part.stat().st_size)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    server.goes_on.set()

    left = {*os.listdir(folder)} - {".small.bin.lock"}
    assert left == {".small.bin.part", ".small.bin.part.version"}
    begun = part.read_bytes()
    assert begun and server.content.startswith(begun) and len(begun) <= HALF
    first, *last = error.decode().splitlines()
    assert first == f"downloading small.bin of {SIZE:,} bytes"
    if number == signal.SIGKILL:
        assert process.returncode == -number and not last
    else:
        word = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}[number]
        assert process.returncode == 128 + number and last == [word]
        assert not (folder / ".small.bin.lock").exists()

    entry = PublishedWeights("s", TIMM, server.url, "small.bin", 1, "", "", "")
    assert published_file(entry).read_bytes() == server.content
    assert server.starts == [0, len(begun)]
    assert sorted(os.listdir(folder)) == ["small.bin", "small.bin.sha256"]


def test_progress_is_on_the_terminal(server: FileServer) -> None:
    server.pauses_after = HALF
    terminal, stderr = pty.openpty()
    process = start(server.url, stderr)
    os.close(stderr)
    shown = b""

    def show(what: str) -> None:
        nonlocal shown
        while what not in re.sub(r"\x1b\[[\d;?]*\w", "", shown.decode(errors="replace")):
            shown += os.read(terminal, 4096)

    show("downloading small.bin 50.0/100.0 kB")
    assert b"100.0/100.0" not in shown and process.poll() is None
    server.goes_on.set()
    show("downloading small.bin 100.0/100.0 kB")
    os.close(terminal)
    assert process.wait(60) == 0


def test_where_there_is_no_terminal_a_line_says_what_begins(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks_after = HALF
    with pytest.raises(ConnectionError):
        download(server.url, tmp_path / "small.bin")
    server.breaks_after = None
    download(server.url, tmp_path / "small.bin")
    download(server.url, tmp_path / "small.bin")  # It is there.
    assert capsys.readouterr().err.splitlines() == [
        "downloading small.bin of 100,000 bytes",
        "downloading small.bin of 100,000 bytes, from 50,000 on",
    ]


class Ended(BaseException):
    """The process ends here."""


def end_at(instant: int, patch: pytest.MonkeyPatch) -> None:
    """Ends the process before or after an operation on a file, of which it does so many first."""
    instants = iter(range(instant + 1))

    def pass_or_end() -> None:
        if next(instants, None) == instant:
            raise Ended

    def ending(operation: Callable[..., Any]) -> Callable[..., Any]:
        def operate(*arguments: Any, **options: Any) -> Any:
            pass_or_end()
            result = operation(*arguments, **options)
            try:
                pass_or_end()
            except Ended:
                if hasattr(result, "close"):
                    result.close()
                raise
            return result

        return operate

    for place, name in ((Path, "open"), (Path, "unlink"), (os, "replace")):
        patch.setattr(place, name, ending(getattr(place, name)))


@pytest.mark.parametrize("has_other_file", [False, True])
@pytest.mark.parametrize("heeds_versions", [False, True])
def test_an_end_at_any_instant_does_no_harm(
    has_other_file: bool, heeds_versions: bool, tmp_path: Path
) -> None:
    instant = 0
    with serve(bytes(range(200))) as server:
        server.heeds_versions = heeds_versions
        server.tag = '"new"'
        ended = True
        while ended:
            folder = tmp_path / str(instant)
            folder.mkdir()
            target = folder / "file"
            old, tag = (bytes(90), '"old"') if has_other_file else (server.content, server.tag)
            (folder / ".file.part").write_bytes(old[:90])
            (folder / ".file.part.version").write_text(tag)
            with pytest.MonkeyPatch.context() as patch:
                end_at(instant, patch)
                try:
                    download(server.url, target)
                    ended = False
                except Ended:
                    pass
            assert not target.exists() or target.read_bytes() == server.content
            assert download(server.url, target).read_bytes() == server.content
            instant += 1
    assert instant > 10
