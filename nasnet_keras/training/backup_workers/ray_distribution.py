"""A run whose steps are computed by workers on Ray."""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from nasnet_keras.ray_cluster import import_ray, join_ray
from nasnet_keras.training.backup_workers.backend import shares_of_backend
from nasnet_keras.training.backup_workers.flat_variables import NetworkLayout
from nasnet_keras.training.backup_workers.messages import Contribution, NetworkState, combined
from nasnet_keras.training.backup_workers.options import BackupWorkerOptions
from nasnet_keras.training.backup_workers.pool import WorkerPool
from nasnet_keras.training.backup_workers.share_computer import ShareComputer
from nasnet_keras.training.distribution import Distribution
from nasnet_keras.training.run import Run
from nasnet_keras.training.task import Task

_ANSWER_SECONDS = 60.0
# Several workers, and the run, may share an accelerator; none may take all of its memory.
_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
# What workers share with the process of the run, where it is set.
_SAME = ("TF_CPP_MIN_LOG_LEVEL", "KERAS_HOME")


@dataclass(frozen=True, eq=False)
class RayDistribution(Distribution):
    """This process holds the network; workers on Ray compute what its steps are made of.

    Attributes:
        options: How many workers, and what each of them gets.
        worker_timeout_secs: Seconds to wait for workers to start.
        leaves_ray: Whether Ray is left at the end.
    """

    options: BackupWorkerOptions = field(default_factory=BackupWorkerOptions)
    worker_timeout_secs: float = 600.0
    leaves_ray: bool = False

    @contextlib.contextmanager
    def helped(self, task: Task[Any], run: Run, model: Any) -> Iterator[None]:
        backend = shares_of_backend()
        layout = NetworkLayout(model, backend.INTEGER_TYPE)
        step = run.first_step
        with contextlib.closing(self._pool(task, run, len(layout.floats))) as pool:
            pool.wait_until_ready(self.worker_timeout_secs)

            def of_step(state: NetworkState) -> Contribution:
                nonlocal step
                result = combined(state, pool.step(step, state))
                step += 1
                return result

            model.train_function = backend.train_function(model, layout, of_step)
            yield

    def _pool(self, task: Task[Any], run: Run, floats: int) -> WorkerPool:
        options, needed = self.options, self.replicas
        shares = needed + options.backup_workers
        # The shares begin an epoch of their own data then, whose last images are dropped, too. With
        # no result dropped, none is missed either.
        turn_steps = max(1, run.length.epoch_steps * needed // shares) if shares > needed else 0
        return WorkerPool(
            functools.partial(ShareComputer, task.for_shares(shares), run.length, floats),
            needed,
            options.backup_workers,
            options.cpus_per_worker,
            options.gpus_per_worker,
            go_on=options.missing_workers == "go_on",
            turn_steps=turn_steps,
            environment=_environment(),
            say=run.say,
            asked_to_stop=lambda: run.stop.signal is not None,
        )

    def distribute(self, make_batches: Callable[[int], Any]) -> Any:
        return _stand_ins()

    def close(self) -> None:
        if self.leaves_ray:
            import_ray().shutdown()


def ray_distribution(
    options: BackupWorkerOptions, worker_timeout_secs: float = 600.0
) -> RayDistribution:
    """Joins a Ray cluster on which the steps of a run are computed.

    Args:
        options: How many workers, and what each of them gets.
        worker_timeout_secs: Seconds to wait for workers to start.

    Raises:
        ConnectionError: No cluster answers.
        ValueError: Ray is not installed, the cluster has no room for as many workers as a step
            needs, or the backend cannot compute shares.
    """
    if options.num_workers is None:
        raise ValueError("distribution ray needs num_workers, the workers that make a step")
    shares_of_backend()
    os.environ.update({**_MEMORY, **os.environ})
    workers = options.num_workers + options.backup_workers
    leaves = join_ray(
        options.ray_address,
        math.ceil(workers * options.cpus_per_worker),
        min(_ANSWER_SECONDS, worker_timeout_secs),
    )
    distribution = RayDistribution(
        "ray",
        options.num_workers,
        1,
        options=options,
        leaves_ray=leaves,
        worker_timeout_secs=worker_timeout_secs,
    )
    try:
        _check_room(options)
    except BaseException:
        distribution.close()
        raise
    return distribution


def _stand_ins() -> Iterator[Any]:
    """Yields what `Model.fit` takes for the batches, which the workers have."""
    while True:
        yield (np.zeros((1, 1), np.float32),)


def _check_room(options: BackupWorkerOptions) -> None:
    """Refuses a cluster that can never hold the workers of a step: they would wait for ever."""
    share = {"CPU": options.cpus_per_worker, "GPU": options.gpus_per_worker}
    machines = [node["Resources"] for node in import_ray().nodes() if node["Alive"]]
    room = sum(
        min(
            (int(machine.get(name, 0.0) / each + 1e-9) for name, each in share.items() if each),
            default=options.num_workers or 0,
        )
        for machine in machines
    )
    if room < (options.num_workers or 0):
        raise ValueError(
            f"there is room for {room} workers of {share['CPU']:g} CPU and {share['GPU']:g} GPU, "
            f"and a step needs {options.num_workers} (machines: "
            f"{', '.join(_resources(machine) for machine in machines)})"
        )


def _resources(machine: dict[str, float]) -> str:
    return f"{machine.get('CPU', 0):g} CPU and {machine.get('GPU', 0):g} GPU"


def _environment() -> dict[str, str]:
    same = {name: os.environ[name] for name in _SAME if name in os.environ}
    return {**_MEMORY, **same, "KERAS_BACKEND": keras.backend.backend()}
