"""The flags of programs that train children."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nasnet_keras.programs.errors import FAILED, print_error
from nasnet_keras.programs.signals import Terminated
from nasnet_keras.settings import Count, NonNegative, NonNegativeInt, Positive, Settings
from nasnet_keras.text import plain_text

# Fields of a recipe.
CHILD_FIELDS = (
    "epochs",
    "num_cells",
    "filters",
    "batch_size",
    "learning_rate",
    "train_image_size",
)
# Flags of one kind of executor.
_ONLY = {"local": ("gpus",), "ray": ("ray_address", "cpus_per_child", "gpus_per_child")}


@dataclass(frozen=True)
class ChildFlags(Settings):
    """Where children are trained.

    Attributes:
        dataset_dir: Directory of the datasets.
        latency_runs: Predictions whose median time is a child's latency; 0: neither latency nor
            memory is measured.
        executor: local or ray.
        workers: Children trained at the same time.
        time_limit: Time limit of a child, in seconds.
        memory_limit: Memory limit of a child, in MiB.
        gpus: local: accelerators to distribute, e.g. 0,1. Default: each child sees all.
        ray_address: ray: a cluster, e.g. auto or ray://head:10001. Default: this machine.
        cpus_per_child: ray: cores of a child.
        gpus_per_child: ray: accelerators of a child, or a fraction of one, e.g. 0.25.

    Raises:
        ValueError: A flag does not belong to the chosen executor.
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
                raise ValueError(f"--{field.name} is not used by --executor={self.executor}")


def dataset_of(history: Any) -> str:
    """Returns the dataset of a search's children."""
    dataset = history.config.child.get("dataset_name")
    if not isinstance(dataset, str):
        raise ValueError(f"{history.path}: the configuration does not name the children's dataset")
    return dataset


def how_measured(directory: Any) -> Any:
    """Returns how the children of a search's directory are measured, as it was begun."""
    from nasnet_keras.search.children.measurement import measured_by

    begun = directory.config.exists()
    return measured_by(directory.read_config().child if begun else None)


def make_executor(flags: ChildFlags, child: Any) -> Any:
    """Returns the executor that the flags describe."""
    from nasnet_keras.search.children.child import PRELOAD
    from nasnet_keras.search.executors.job_process import JobLimits
    from nasnet_keras.search.executors.local_executor import LocalExecutor
    from nasnet_keras.search.executors.ray_executor import RayExecutor

    if child.dataset_dir is not None:
        # A worker may run in a different directory.
        child = dataclasses.replace(child, dataset_dir=os.path.abspath(child.dataset_dir))
    limits = JobLimits(flags.time_limit, flags.memory_limit)
    if flags.executor == "local":
        return LocalExecutor(child, flags.workers, limits, PRELOAD, flags.gpus)
    return RayExecutor(
        child,
        flags.workers,
        limits,
        PRELOAD,
        flags.ray_address,
        flags.cpus_per_child,
        flags.gpus_per_child,
    )


@contextlib.contextmanager
def watched(directory: Any) -> Iterator[tuple[Callable[[str], None], Any]]:
    """Shows the progress of the search in the block, and how it ends.

    Yields:
        The callbacks for lines and for the search's state.
    """
    from nasnet_keras.search.engine.experiment import SearchFailed
    from nasnet_keras.search.engine.progress import SearchProgress
    from nasnet_keras.text.plain_console import PlainConsole, say_on

    console = PlainConsole()
    try:
        with SearchProgress(console) as progress:
            yield functools.partial(say_on, console), progress
    except SearchFailed as error:
        print_error(error)
        sys.exit(FAILED)
    except (KeyboardInterrupt, Terminated):
        if directory.journal.exists():
            plain_text.say(f"saved {directory.path}; the same command resumes it", sys.stderr)
        raise
