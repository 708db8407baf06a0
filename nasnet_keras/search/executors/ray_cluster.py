"""The connection to a Ray cluster, or to Ray on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

# A cluster has this long to answer the first time.
_CONNECT_SECONDS = 30.0
_PROBE_SECONDS = 1.0
_CONNECT = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False, logging_level='error')"


class RayCluster:
    """Ray, which this process is connected to; uses the connection that it already has, if any.

    Args:
        address: A cluster, e.g. `"auto"` or `"ray://head:10001"`; `None`: Ray on this machine.
        cores: Cores that Ray takes this machine to have at least, without an address.
        patience: Seconds to wait for a cluster that does not answer any more.

    Attributes:
        ray: The module.

    Raises:
        ConnectionError: No cluster answers at the address.
        ValueError: Ray is not installed.
    """

    def __init__(self, address: str | None, cores: int, patience: float) -> None:
        self.ray = ray = import_ray()
        self._patience = patience
        self._lost = False
        self._connected_here = not ray.is_initialized()
        if self._connected_here:
            options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
            if address is None:
                options["num_cpus"] = max(os.cpu_count() or 1, cores)
                options["include_dashboard"] = False
            else:
                _try(address)
            with _own_handler():
                try:
                    ray.init(address or "local", **options)
                except Exception as error:
                    # Of any kind: `Exception` itself where a machine is too busy.
                    raise ConnectionError(f"Ray does not start: {error}") from error
        self._address = address or "this machine"
        # `ray://` is a proxy's address: only that may be in reach.
        self._head: str = (
            address if address and "://" in address else ray.get_runtime_context().gcs_address
        )
        self._silent_since: float | None = None

    def check_resources(self, cpus: float, gpus: float) -> None:
        """Refuses requirements that no machine meets: tasks would wait for ever.

        Raises:
            ValueError: The message says what there is.
        """
        machines = {
            (node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
            for node in self.ray.nodes()
            if node["Alive"]
        }
        if not any(cores >= cpus and devices >= gpus for cores, devices in machines):
            most = ", ".join(f"{c:g} CPU and {d:g} GPU" for c, d in sorted(machines))
            raise ValueError(
                f"a child needs {cpus:g} CPU and {gpus:g} GPU, but no machine of the Ray cluster "
                f"has that: {most}"
            )

    @property
    def is_connected(self) -> bool:
        """Whether anything can be asked of the cluster; Ray would begin another one instead."""
        return not self._lost and self.ray.is_initialized()

    def wait(self, references: list[Any], timeout: float) -> list[Any]:
        """Returns all results that are ready; waits up to `timeout` seconds for the first.

        Raises:
            ConnectionError: The head of the cluster has not answered for longer than the patience.
                Ray itself would end this process after a while.
        """
        try:
            ready, _ = self.ray.wait(references, num_returns=1, timeout=timeout)
            if ready:
                count = len(references)
                return self.ray.wait(references, num_returns=count, timeout=0)[0]
        except ConnectionError:
            # Through a proxy (`ray://`), after attempts of its own.
            raise self._loss() from None
        if self._answers():
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = time.monotonic()
        elif time.monotonic() - self._silent_since > self._patience:
            raise self._loss()
        return []

    def close(self) -> None:
        """Ends the connection, unless it was there before."""
        if self._connected_here and self.ray.is_initialized():
            self.ray.shutdown()

    def _loss(self) -> ConnectionError:
        self._lost = True
        return ConnectionError(f"the Ray cluster at {self._address} does not answer any more")

    def _answers(self) -> bool:
        try:
            _reach(self._head, _PROBE_SECONDS)
        except OSError:
            return False
        return True


def import_ray() -> Any:
    """Returns the module.

    Raises:
        ValueError: Ray is not installed; the message says how to install it.
    """
    try:
        import ray
        import ray.cloudpickle
        import ray.exceptions
    except ImportError:
        raise ValueError(
            "Ray is not installed: pip install 'nasnet-keras[search]', or use --executor=local"
        ) from None
    return ray


def _try(address: str) -> None:
    """Connects once in a process that can be ended: Ray tries for a quarter of an hour."""
    try:
        if ":" in address:
            _reach(address, _CONNECT_SECONDS)
        done = subprocess.run(
            [sys.executable, "-c", _CONNECT, address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CONNECT_SECONDS,
        )
    except (TimeoutError, subprocess.TimeoutExpired):
        why = f"it does not answer within {_CONNECT_SECONDS:g} s"
    except OSError as error:
        why = error.strerror or str(error)
    else:
        if not done.returncode:
            return
        why = (done.stderr.strip().splitlines() or ["Ray does not say why"])[-1]
    raise ConnectionError(f"there is no Ray cluster at {address}: {why}")


def _reach(address: str, seconds: float) -> None:
    """Raises an `OSError` unless something listens at an address."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        raise OSError("expected HOST:PORT, ray://HOST:PORT or auto")
    socket.create_connection((host.strip("[]"), int(port)), seconds).close()


@contextlib.contextmanager
def _own_handler() -> Iterator[None]:
    """Keeps the process's own answer to SIGTERM, which Ray replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
