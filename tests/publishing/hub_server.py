"""A stand-in for the Hugging Face Hub on this machine: repositories of models in memory."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

TOKEN = "hf_of_the_owner"
COMMIT = hashlib.sha1(b"a commit").hexdigest()


class Hub:
    """What the stand-in holds.

    Attributes:
        url: Its address.
        repositories: Files by name, by repository.
        commits: Message, repository and names of each commit.
        requests: Method and path of each request.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: set[str] = set()
        self.commits: list[tuple[str, str, list[str]]] = []
        self.requests: list[str] = []


@contextlib.contextmanager
def serve() -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        do_HEAD = do_POST = do_GET

        def _answer(self) -> None:
            path = unquote(urlparse(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._send({"error": "Invalid username or password."}, 401)
            if path == "/api/repos/create":
                return self._create(json.loads(body))
            if path == "/api/validate-yaml":
                return self._send({"errors": [], "warnings": []})
            if match := re.fullmatch("/api/models/([^/]+/[^/]+)/([^/]+)/([^/]+)(/.*)?", path):
                return self._of_repository(match[1], match[2], body)
            if match := re.fullmatch("/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
                return self._file(match[1], match[2])
            return self._send({"error": "Not Found"}, 404)

        def _create(self, asked: Any) -> None:
            repository = f"{asked['organization']}/{asked['name']}"
            if asked["organization"] != "owner":
                return self._send({"error": "You don't have the rights"}, 403)
            new = repository not in hub.repositories
            hub.repositories.setdefault(repository, {})
            if asked.get("private") or asked.get("visibility") == "private":
                hub.private.add(repository)
            return self._send({"url": f"{hub.url}/{repository}"}, 200 if new else 409)

        def _of_repository(self, repository: str, what: str, body: bytes) -> None:
            if repository not in hub.repositories:
                error = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
                return self._send({"error": "Repository not found"}, 404, error)
            files = hub.repositories[repository]
            if what == "preupload":
                names = [file["path"] for file in json.loads(body)["files"]]
                modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
                return self._send({"files": modes})
            if what == "commit":
                lines = [json.loads(each) for each in body.splitlines()]
                sent = {v["path"]: v["content"] for k, v in map(_pair, lines) if k == "file"}
                files |= {name: base64.b64decode(content) for name, content in sent.items()}
                hub.commits.append((lines[0]["value"]["summary"], repository, sorted(sent)))
                page = f"{hub.url}/{repository}/commit/{COMMIT}"
                return self._send({"commitUrl": page, "commitOid": COMMIT})
            if what == "tree":
                rows = [
                    {"type": "file", "path": name, "size": len(content), "oid": _digest(content)}
                    for name, content in files.items()
                ]
                return self._send(rows)
            siblings = [{"rfilename": name} for name in files]
            return self._send({"id": repository, "sha": COMMIT, "siblings": siblings})

        def _file(self, repository: str, name: str) -> None:
            content = hub.repositories[repository][name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{_digest(content)}"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _send(self, value: Any, code: int = 200, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = Hub(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pair(line: dict[str, Any]) -> tuple[str, Any]:
    return line["key"], line["value"]


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
