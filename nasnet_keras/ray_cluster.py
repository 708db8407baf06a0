"""Ray, an optional library: imported, and joined within a time."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

_JOIN = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="error")
ray.shutdown()
"""


def import_ray(instead: str = "") -> Any:
    """Returns the module.

    Args:
        instead: What works without it, e.g. `"use --executor=local"`.

    Raises:
        ValueError: Ray is not installed; the message says how to install it.
    """
    try:
        import ray
        import ray.exceptions
    except ImportError:
        otherwise = f", or {instead}" if instead else ""
        raise ValueError(
            f"Ray is not installed: pip install 'nasnet-keras[search]'{otherwise}"
        ) from None
    return ray


def join_ray(address: str | None, cpus: float, seconds: float) -> bool:
    """Joins a cluster, or starts Ray on this machine; a Ray that this process has joined stays.

    Args:
        address: A cluster, e.g. `"auto"` or `"10.0.0.1:6379"`; `None`: this machine alone.
        cpus: Cores that are asked of this machine alone: more than it has is allowed, as
            otherwise what is beyond would wait.
        seconds: How long a cluster may take to answer.

    Returns:
        Whether Ray was joined or started here, and is to be left at the end.

    Raises:
        ValueError: Ray is not installed, or nothing answers at the address.
    """
    ray = import_ray()
    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    with _handlers_kept():
        if address is None:
            cores = max(os.cpu_count() or 1, int(-(-cpus // 1)))
            ray.init(address="local", num_cpus=cores, include_dashboard=False, **options)
        else:
            _check_answers(address, seconds)
            ray.init(address=address, **options)
    return True


def _check_answers(address: str, seconds: float) -> None:
    """Refuses an address where no cluster answers in time.

    Ray has time limits of its own at each stage, up to minutes, and ends the process at some; so
    another process tries first.
    """
    place = address.rpartition("//")[2]
    host, _, port = place.rpartition(":")
    nothing = f"no Ray cluster answers at {address!r}"
    try:
        if port.isdigit() and host:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds):
                pass
        done = subprocess.run(
            [sys.executable, "-c", _JOIN, address],
            capture_output=True,
            timeout=seconds,
            text=True,
        )
    except (subprocess.TimeoutExpired, TimeoutError):
        raise ValueError(f"{nothing} within {seconds:g} s") from None
    except (OSError, OverflowError) as error:
        raise ValueError(f"{nothing}: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ValueError(f"{nothing}: {lines[-1].strip()}")


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    """Within the block, what sets handlers of signals does so in vain: Ray ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
