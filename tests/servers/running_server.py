"""A real server in a process of its own, on free ports of the loopback interface."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_START_SECONDS = 180
_STOP_SECONDS = 60


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class RunningServer:
    """A server's process.

    Attributes:
        command: Starts it.
        folder: Its working directory, and its log's.
        http: Its port for REST.
        grpc: Its port for gRPC.
    """

    command: Sequence[str]
    folder: Path
    http: int
    grpc: int
    process: subprocess.Popen | None = field(default=None, init=False)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self, models: Sequence[str]) -> None:
        """Starts it and waits until it answers for these models."""
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        waiting = list(models)
        end = time.monotonic() + _START_SECONDS
        while waiting:
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.log[-5000:]}")
            if self._answers(f"/v2/models/{waiting[0]}/ready"):
                waiting.pop(0)
            else:
                time.sleep(0.2)

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=5) as reply:
                return reply.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> int:
        """Asks it to stop; returns its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def memory(self) -> float:
        """Returns what it and its children hold, in MiB."""
        assert self.process
        pages, waiting = 0, [self.process.pid]
        while waiting:
            process = waiting.pop()
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
