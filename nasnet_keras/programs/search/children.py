"""The flags of what trains children: how they are trained, and where."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nasnet_keras.settings import Count, NonNegative, NonNegativeInt, Positive, Settings

# Of a recipe.
CHILD_FIELDS = (
    "epochs",
    "num_cells",
    "filters",
    "batch_size",
    "learning_rate",
    "train_image_size",
)
# What has a meaning for one kind of executor only.
_ONLY = {"local": ("gpus",), "ray": ("ray_address", "cpus_per_child", "gpus_per_child")}


@dataclass(frozen=True)
class ChildFlags(Settings):
    """Where children are trained.

    Attributes:
        dataset_dir: Directory of the datasets.
        latency_runs: Predictions whose median is a child's latency; 0: it is not measured.
        executor: local or ray.
        workers: Children at once.
        time_limit: Longest time of a child, in seconds.
        memory_limit: Most memory of a child, in MiB.
        gpus: local: accelerators to share out, e.g. 0,1. Default: each child sees all.
        ray_address: ray: a cluster, e.g. auto or ray://head:10001. Default: this machine.
        cpus_per_child: ray: cores of a child.
        gpus_per_child: ray: accelerators of a child, or a part of one, e.g. 0.25.

    Raises:
        ValueError: One of ray's was given to the local executor, or the other way round.
    """

    dataset_dir: str | None = None
    latency_runs: NonNegativeInt = 5
    executor: Literal["local", "ray"] = "local"
    workers: Count = 1
    time_limit: Positive | None = None
    memory_limit: Positive | None = None
    gpus: tuple[str, ...] = ()
    ray_address: str | None = None
    cpus_per_child: NonNegative = 1.0
    gpus_per_child: NonNegative = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in dataclasses.fields(self):
            ignored = field.name in _ONLY["ray" if self.executor == "local" else "local"]
            if ignored and getattr(self, field.name) != field.default:
                raise ValueError(f"--{field.name} means nothing to --executor={self.executor}")


def make_executor(flags: ChildFlags, child: Any, say: Callable[[str], None]) -> Any:
    """Returns what trains children as the flags say."""
    from nasnet_keras.search.children.child import PRELOAD
    from nasnet_keras.search.executors.job_process import JobLimits
    from nasnet_keras.search.executors.local_executor import LocalExecutor
    from nasnet_keras.search.executors.ray_executor import RayExecutor

    if child.dataset_dir is not None:
        # A worker's working directory need not be this one.
        child = dataclasses.replace(child, dataset_dir=os.path.abspath(child.dataset_dir))
    limits = JobLimits(flags.time_limit, flags.memory_limit)
    if flags.executor == "local":
        return LocalExecutor(child, flags.workers, limits, PRELOAD, flags.gpus)
    return RayExecutor(
        child,
        flags.workers,
        limits,
        flags.ray_address,
        flags.cpus_per_child,
        flags.gpus_per_child,
        say,
    )


@contextlib.contextmanager
def watched(directory: Any, console: Any) -> Iterator[Any]:
    """Within the block a search runs: its progress is shown, and how it ends.

    Args:
        directory: Where the search is kept.
        console: A `rich` console.

    Yields:
        What the search reports its state to.
    """
    from nasnet_keras.search.engine.experiment import SearchFailed
    from nasnet_keras.search.engine.progress import SearchProgress

    # A scheduler that takes the machine away says so by this signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with SearchProgress(console) as progress:
            yield progress
    except SearchFailed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        if directory.journal.exists():
            print(f"saved {directory.path}; the same command goes on", file=sys.stderr)
        raise
