"""A server on this machine, for what a network does to a download."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FileServer:
    """Serves one file under every name.

    Attributes:
        content: The file.
        tag: Its version; `None`: the server does not tell.
        breaks_after: Bytes of an answer after which the connection breaks; `None`: never.
        pauses_after: Bytes of an answer after which the rest waits for `goes_on`; `None`: never.
        heeds_versions: Whether it sends the rest of a file only if it is the file asked for.
        starts: The byte that each answer began at.
        waits: Whether it answers only once `goes_on` is set; `asked` is set when it was asked.
        url: The address of a file.
    """

    def __init__(self, content: bytes, port: int) -> None:
        self.content = content
        self.tag: str | None = '"1"'
        self.breaks_after: int | None = None
        self.pauses_after: int | None = None
        self.heeds_versions = True
        self.starts: list[int] = []
        self.waits = False
        self.asked, self.goes_on = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{port}/weights.tar.gz"


@contextlib.contextmanager
def serve(content: bytes) -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = 0
            asked = self.headers.get("Range")
            same = state.tag and self.headers.get("If-Range") == state.tag
            if asked and (same or not state.heeds_versions):
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start and start >= len(state.content):
                self.send_error(416)
                return
            state.starts.append(start)
            state.asked.set()
            if state.waits:
                state.goes_on.wait(60)
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if state.tag:
                self.send_header("ETag", state.tag)
            self.end_headers()
            body = body if state.breaks_after is None else body[: state.breaks_after]
            with contextlib.suppress(OSError):  # Who asked may have ended.
                if state.pauses_after is not None:
                    self.wfile.write(body[: state.pauses_after])
                    body = body[state.pauses_after :]
                    state.goes_on.wait(60)
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = FileServer(content, server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
