"""Ray, an optional library: imported, and joined within a time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_CONNECT = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False, logging_level='error')"


def import_ray(instead: str = "") -> Any:
    """Returns the module.

    Args:
        instead: What works without it, e.g. `"use --executor=local"`.

    Raises:
        ValueError: Ray is not installed; the message says how to install it.
    """
    try:
        import ray
        import ray.cloudpickle
        import ray.exceptions
    except ImportError:
        otherwise = f", or {instead}" if instead else ""
        raise ValueError(
            f"Ray is not installed: pip install 'nasnet-keras[search]'{otherwise}"
        ) from None
    return ray


def join_ray(address: str | None, cores: int, seconds: float, instead: str = "") -> bool:
    """Joins a cluster, or starts Ray on this machine; a Ray that this process has joined stays.

    Args:
        address: A cluster, e.g. `"auto"`, `"10.0.0.1:6379"` or `"ray://head:10001"`; `None`: this
            machine alone.
        cores: Cores that Ray takes this machine to have at least, without an address: what asks
            for more than there are would wait for ever.
        seconds: How long a cluster may take to answer.
        instead: See `import_ray`.

    Returns:
        Whether Ray was joined or started here, and is to be left at the end.

    Raises:
        ConnectionError: No cluster answers at the address, or Ray does not start.
        ValueError: Ray is not installed.
    """
    ray = import_ray(instead)
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address is None:
        options["num_cpus"] = max(os.cpu_count() or 1, cores)
        options["include_dashboard"] = False
    else:
        _try(address, seconds)
    with _handlers_kept(), warnings.catch_warnings():
        # Some versions announce what they will do with accelerators.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            ray.init(address or "local", **options)
        except Exception as error:
            # Of any kind: `Exception` itself where a machine is too busy.
            raise ConnectionError(f"Ray does not start: {error}") from error
    return True


def reach(address: str, seconds: float) -> None:
    """Raises an `OSError` unless something listens at an address in time."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise OSError("expected HOST:PORT, ray://HOST:PORT or auto")
    socket.create_connection((host.strip("[]"), int(port)), seconds).close()


def _try(address: str, seconds: float) -> None:
    """Connects once in a process that can be ended: Ray tries for a quarter of an hour."""
    try:
        if ":" in address:
            reach(address, seconds)
        done = subprocess.run(
            [sys.executable, "-c", _CONNECT, address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except (TimeoutError, subprocess.TimeoutExpired):
        why = f"it does not answer within {seconds:g} s"
    except OSError as error:
        why = error.strerror or str(error)
    else:
        if not done.returncode:
            return
        why = (done.stderr.strip().splitlines() or ["Ray does not say why"])[-1]
    raise ConnectionError(f"there is no Ray cluster at {address}: {why}")


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keeps the process's own answers to SIGTERM and SIGINT, which Ray replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
