"""Workers find each other before TensorFlow starts.

TensorFlow waits an hour for a worker that never comes, says of none which one it is, and cannot be
interrupted meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence

_POLL_SECONDS = 0.2
_CONNECT_SECONDS = 1.0
_SILENT_SECONDS = 5.0


def await_workers(
    addresses: Sequence[str], worker: int, seconds: float, say: Callable[[str], None] = print
) -> None:
    """Waits until every worker has opened its port, or TensorFlow has opened it there.

    Args:
        addresses: `HOST:PORT` of each worker.
        worker: Index of this one.
        seconds: How long to wait at most.
        say: Called with a line that says for whom it waits.

    Raises:
        OSError: The port of this worker is taken.
        ValueError: An address is none, or a worker did not come; the message names it.
    """
    places = [_place(address) for address in addresses]
    missing = [index for index in range(len(places)) if index != worker]
    began = time.monotonic()
    said = False
    with _listening(places[worker][1]):
        while missing:
            missing = [index for index in missing if not _answers(places[index])]
            waited = time.monotonic() - began
            names = ", ".join(f"worker {index} ({addresses[index]})" for index in missing)
            if missing and waited >= seconds:
                raise ValueError(
                    f"waited {seconds:g} s for {names}: start all workers with the same TF_CONFIG, "
                    "or raise worker_timeout_secs"
                )
            if missing and not said and waited >= _SILENT_SECONDS:
                say(f"waiting for {names}, {seconds:g} s at most")
                said = True
            if missing:
                time.sleep(_POLL_SECONDS)


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
        raise ValueError(f"the address of a worker is HOST:PORT, got {address!r}")
    return host.strip("[]"), int(port)


@contextlib.contextmanager
def _listening(port: int) -> Iterator[None]:
    """Holds a port open, so that the others see this worker."""
    try:
        server = socket.create_server(("", port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        advice = f"{reason}: end what uses it, or name another port in TF_CONFIG"
        raise OSError(error.errno, advice, f"port {port} of this worker") from None
    with server:
        yield


def _answers(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
