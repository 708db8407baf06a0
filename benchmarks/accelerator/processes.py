"""A part of the report as a process that sends rows and is ended at its deadline."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

# Libraries print to the standard output as well.
_ROW = "ROW "


def emit(row: dict[str, Any]) -> None:
    """Sends a row to the process that started this one."""
    print(_ROW + json.dumps(row), flush=True)


def end_with_parent() -> None:
    """Makes this process end, however busy, when the one that started it is gone."""

    def wait() -> None:
        # Not `sys.stdin`, whose lock the end of a process waits for.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run_process(
    command: Sequence[str],
    seconds: float,
    take: Callable[[dict[str, Any]], None],
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Runs a process, and ends it with its children when its time is up.

    Args:
        command: What to run; it calls `emit`.
        seconds: Its time.
        take: Takes each row when it comes; an exception of it ends the process.
        environment: Variables added to ours.

    Returns:
        `status` (`"done"`, `"cut off"` or `"failed"`), `seconds`, and the `reason` of a failure.
    """
    start, over = time.monotonic(), threading.Event()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )

        def end() -> None:
            over.set()
            _kill(process)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            for line in process.stdout or ():
                # The last line of one that was killed may be torn.
                if line.startswith(_ROW) and line.endswith("\n"):
                    take(json.loads(line.removeprefix(_ROW)))
            status = process.wait()
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                with contextlib.suppress(OSError):
                    stream.close()
        outcome: dict[str, Any] = {"status": "done", "seconds": time.monotonic() - start}
        if over.is_set():
            outcome["status"] = "cut off"
        elif status:
            outcome |= {"status": "failed", "reason": _last_line(errors) or f"status {status}"}
        return outcome


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends a process that was not waited for yet, and its children."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: IO[str]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return lines[-1][:500] if lines else ""
