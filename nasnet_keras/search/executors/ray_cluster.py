"""The connection to a Ray cluster, or to Ray on this machine."""

from __future__ import annotations

import time
from typing import Any

from nasnet_keras.ray_cluster import import_ray, join_ray, reach

# A cluster has this long to answer the first time.
_CONNECT_SECONDS = 30.0
_PROBE_SECONDS = 1.0


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
        instead = "use --executor=local"
        self._connected_here = join_ray(address, cores, _CONNECT_SECONDS, instead)
        self.ray = ray = import_ray()
        self._patience = patience
        self._lost = False
        self._address = address or "this machine"
        # `ray://` is a proxy's address: only that may be in reach.
        self._head: str = (
            address if address and "://" in address else ray.get_runtime_context().gcs_address
        )
        self._silent_since: float | None = None
        self._cut_off = False

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
            ConnectionError: The head of the cluster has not answered for longer than the patience
                (Ray itself would end this process after a while), or `cut_off` was called.
        """
        if self._cut_off:
            raise self._loss()
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

    def cut_off(self) -> None:
        """Notes that Ray's process on this machine has died: whatever is asked of it now fails."""
        self._cut_off = True

    def close(self) -> None:
        """Ends the connection, unless it was there before."""
        if self._connected_here and self.ray.is_initialized():
            self.ray.shutdown()

    def _loss(self) -> ConnectionError:
        self._lost = True
        if self._cut_off and self._answers():
            return ConnectionError(
                f"Ray has died where it had joined {self._address}: start it again"
            )
        return ConnectionError(f"the Ray cluster at {self._address} does not answer any more")

    def _answers(self) -> bool:
        try:
            reach(self._head, _PROBE_SECONDS)
        except OSError:
            return False
        return True
