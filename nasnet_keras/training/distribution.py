"""On which devices and machines a network is trained."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from nasnet_keras.files.json_text import parse_json
from nasnet_keras.settings import check_value
from nasnet_keras.text.plain_text import shown
from nasnet_keras.training.rendezvous import await_workers
from nasnet_keras.training.run_options import DistributionName

_VARIABLE = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)

# Those that this process has joined.
_CLUSTERS: set[tuple[tuple[str, ...], int]] = set()


@dataclass(frozen=True, eq=False)
class Distribution:
    """How a training step is spread over replicas; from `make_distribution`.

    Attributes:
        name: `"none"`, `"mirrored"`, `"multiworker"`, or `"ray"` (see `RayDistribution`).
        replicas: Replicas in all, each with a batch of its own.
        local_replicas: Replicas of this worker.
        workers: Processes that train together.
        worker: Index of this one, from 0, which is the chief.
        replicas_per_batch: Of how many replicas a batch of `distribute` holds the images. 1 under
            `tf.distribute`, where each replica takes a batch; all of them on JAX, which splits one.
        engine: The `tf.distribute.Strategy` or `keras.distribution.DataParallel`, `None` for none.
    """

    name: str
    replicas: int = 1
    local_replicas: int = 1
    workers: int = 1
    worker: int = 0
    replicas_per_batch: int = 1
    engine: Any = None

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the one that writes what is there once."""
        return self.worker == 0

    @property
    def batches_per_step(self) -> int:
        """Batches of this worker in a step."""
        return self.local_replicas // self.replicas_per_batch

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Returns a context in which to build or load, compile, and on JAX also fit, a model."""
        return contextlib.nullcontext() if self.engine is None else self.engine.scope()

    @property
    def takes_datasets(self) -> bool:
        """Whether `distribute` needs a `tf.data.Dataset`."""
        return hasattr(self.engine, "distribute_datasets_from_function")

    def fit_scope(self) -> contextlib.AbstractContextManager[Any]:
        """Returns a context in which to fit a model: on JAX that of `scope`."""
        return contextlib.nullcontext() if self.takes_datasets else self.scope()

    def distribute(self, make_batches: Callable[[int], Any]) -> Any:
        """Returns the data for `Model.fit`.

        Args:
            make_batches: Called with the index of this worker; returns its batches, each with the
                images of `replicas_per_batch` replicas. Under `tf.distribute` that is a
                `tf.data.Dataset`, and the local replicas take turns at its batches.

        Returns:
            What `make_batches` returned, spread over the local replicas under `tf.distribute`.
        """
        if not self.takes_datasets:
            return make_batches(self.worker)
        return self.engine.distribute_datasets_from_function(lambda _: make_batches(self.worker))

    def helped(self, task: Any, run: Any, model: Any) -> contextlib.AbstractContextManager[Any]:
        """Returns a context in which others compute the steps of a model, where others do.

        Args:
            task: What is trained.
            run: The run, from the step on where it is.
            model: The network, compiled.
        """
        return contextlib.nullcontext()

    def close(self) -> None:
        """Leaves what was joined."""

    def agree_to_stop(self, flag: bool) -> bool:
        """Returns whether any worker wants to stop; waits for all of them.

        A signal may reach one worker only, and the others would wait for it without end. So all
        ask, after the same step.

        Args:
            flag: Whether this worker wants to.
        """
        return flag if self.workers == 1 else float(self._sum_over_workers(float(flag))) > 0

    @functools.cached_property
    def _sum_over_workers(self) -> Callable[[float], Any]:
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec((), tf.float32)])
        def summed(value: Any) -> Any:
            values = self.engine.run(lambda value: value, (value,))
            return self.engine.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)

        return summed


def make_distribution(
    name: str = "none",
    devices: Sequence[str] | None = None,
    worker_timeout_secs: float = 600.0,
    say: Callable[[str], None] = print,
) -> Distribution:
    """Returns a distribution by name.

    Args:
        name: `"none"`: one replica. `"mirrored"`: a replica on each accelerator of this machine.
            `"multiworker"`: that on each machine of `TF_CONFIG`, one process on each; to be made
            before TensorFlow computes anything.
        devices: Devices for `"mirrored"`, e.g. `["GPU:0", "GPU:1"]`; all by default.
        worker_timeout_secs: Seconds to wait for the other workers of `"multiworker"` to start.
        say: Called with a line that says which of them it waits for.

    Returns:
        The distribution.

    Raises:
        ValueError: There is no such distribution (the nearest is suggested) or not on this
            backend, `TF_CONFIG` contradicts it or itself, or a worker did not start in time.
        OSError: The port of this worker is taken.
    """
    check_value("distribution", DistributionName, name)
    if devices is not None and name != "mirrored":
        raise ValueError(f"devices are chosen for distribution mirrored only, not {name}")
    backend = keras.backend.backend()
    if backend == "tensorflow":
        addresses, worker = _read_cluster()
        if name == "multiworker":
            return _multiworker(addresses, worker, worker_timeout_secs, say)
        if len(addresses) > 1:
            raise ValueError(
                f"{_VARIABLE} has a cluster of {len(addresses)} workers, which distribution {name} "
                "would train apart: give distribution multiworker, or unset it"
            )
    if name == "none":
        return Distribution(name)
    if name == "mirrored" and backend == "tensorflow":
        import tensorflow as tf

        engine = tf.distribute.MirroredStrategy(devices)
        count = engine.num_replicas_in_sync
        return Distribution(name, replicas=count, local_replicas=count, engine=engine)
    if name == "mirrored" and backend == "jax":
        engine = keras.distribution.DataParallel(
            devices=list(devices or keras.distribution.list_devices()), auto_shard_dataset=False
        )
        count = int(engine.device_mesh.devices.size)
        return Distribution(
            name, replicas=count, local_replicas=count, replicas_per_batch=count, engine=engine
        )
    raise ValueError(f"distribution {name} is not available with Keras's backend {backend}")


def _multiworker(
    addresses: tuple[str, ...], worker: int, timeout_secs: float, say: Callable[[str], None]
) -> Distribution:
    if not addresses:
        raise ValueError(
            f"distribution multiworker needs {_VARIABLE} in the environment: {_EXAMPLE}"
        )
    engine = _joined(addresses, worker, timeout_secs, say)
    workers = len(addresses)
    return Distribution(
        "multiworker",
        replicas=engine.num_replicas_in_sync,
        local_replicas=engine.num_replicas_in_sync // workers,
        workers=workers,
        worker=worker,
        engine=engine,
    )


def _joined(
    addresses: tuple[str, ...], worker: int, timeout_secs: float, say: Callable[[str], None]
) -> Any:
    """Returns the strategy; TensorFlow joins a cluster once in the life of a process."""
    import tensorflow as tf

    if (addresses, worker) not in _CLUSTERS:
        await_workers(addresses, worker, timeout_secs, say)
    try:
        engine = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"worker {worker} ({addresses[worker]}) cannot start: {reason}") from error
    _CLUSTERS.add((addresses, worker))
    return engine


def _read_cluster() -> tuple[tuple[str, ...], int]:
    """Returns the addresses of the workers of `TF_CONFIG` (none without one), and whose this is.

    A task `chief` counts as worker 0.

    Raises:
        ValueError: It is no JSON, or cluster and task do not fit together.
    """
    text = os.environ.get(_VARIABLE, "")
    if not text:
        return (), 0
    try:
        config = parse_json(text)
    except ValueError as error:
        raise ValueError(f"{_VARIABLE} is not JSON ({error}): {shown(text)}") from None
    cluster = config.get("cluster") if isinstance(config, dict) else None
    if not isinstance(cluster, dict) or not cluster:
        raise ValueError(f"{_VARIABLE} has no cluster; expected {_EXAMPLE}")
    for kind, addresses in cluster.items():
        if kind not in ("chief", "worker"):
            raise ValueError(f"{_VARIABLE}: the cluster has {kind!r}; chief and worker are known")
        texts = isinstance(addresses, list) and all(isinstance(each, str) for each in addresses)
        if not texts or not addresses:
            raise ValueError(f"{_VARIABLE}: {kind} is a list of addresses, got {shown(addresses)}")
    chiefs = len(cluster.get("chief", ()))
    if chiefs > 1:
        raise ValueError(f"{_VARIABLE}: a cluster has one chief at most, got {chiefs}")
    task = config.get("task")
    if not isinstance(task, dict) or task.get("type") not in list(cluster):
        raise ValueError(
            f"{_VARIABLE}: the task's type is one of {sorted(cluster)}, got task {shown(task)}"
        )
    kind, index = task["type"], task.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ValueError(f"{_VARIABLE}: the task's index is a whole number, got {index!r}")
    if not 0 <= index < len(cluster[kind]):
        raise ValueError(
            f"{_VARIABLE}: task index {index} is not in 0 to {len(cluster[kind]) - 1}, "
            f"the cluster's {kind} tasks"
        )
    addresses = (*cluster.get("chief", ()), *cluster.get("worker", ()))
    return addresses, index + (chiefs if kind == "worker" else 0)
