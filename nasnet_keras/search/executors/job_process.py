"""A job within its own process."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.search.executors.executor import TIME_LIMIT, ChildFunction, Job, Outcome
from nasnet_keras.settings import Positive, Settings

RESULT_NAME = "result.json"
ERROR_NAME = "error.json"
LOG_NAME = "log.txt"

_POLL_SECONDS = 0.5
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class JobLimits(Settings):
    """What a job may use.

    Attributes:
        seconds: Time limit; a job that exceeds it is not retried. `None`: unlimited.
        mebibytes: Resident memory, including what it shares with the process it was forked from.
            `None`: unlimited.

    Raises:
        ValueError: A limit is not above 0.
    """

    seconds: Positive | None = None
    mebibytes: Positive | None = None


class Driver(Protocol):
    """The process that started a job."""

    def is_alive(self) -> bool: ...


def run_job(
    child: ChildFunction, job: Job, limits: JobLimits | None = None, driver: Driver | None = None
) -> dict[str, Any]:
    """Trains a child; the process is the job's own and may be ended here.

    The values are in `result.json` before this returns. If they are there already, because the job
    finished unnoticed, they are taken from there. If a process of a dead driver still trains this
    child, this waits for its end.

    Args:
        child: The function.
        job: Its argument.
        limits: What the process may use. If it exceeds them, it ends with exit code 1, and
            `error.json` says why.
        driver: When it dies, the process ends.

    Returns:
        What the child returned.

    Raises:
        Exception: What the child raised; `error.json` has it, and `log.txt` the traceback.
    """
    job.directory.mkdir(parents=True, exist_ok=True)
    _redirect_output(job.directory / LOG_NAME)
    # Several children may share an accelerator; none may take all of its memory.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with locked(job.directory, wait=True):
        _watch(job, limits or JobLimits(), driver)
        values = read_result(job)
        if values is not None:
            return values
        (job.directory / ERROR_NAME).unlink(missing_ok=True)
        try:
            values = child(job)
            _check_values(values)
            text = json.dumps({"key": job.key, "values": values}, allow_nan=False)
        except Exception as error:
            traceback.print_exc()
            _write_error(job, _one_line(error))
            raise
        with atomic_write(job.directory / RESULT_NAME) as path:
            path.write_text(text + "\n")
        return values


def read_result(job: Job) -> dict[str, Any] | None:
    """Returns the values of the job's child; `None` if it has not succeeded yet."""
    result = _read(job.directory / RESULT_NAME)
    return result["values"] if result.get("key") == job.key else None


def read_error(job: Job) -> str | None:
    """Returns why this attempt failed; `None` if it left no error."""
    record = _read(job.directory / ERROR_NAME)
    return record["error"] if record.get("attempt") == job.attempt else None


def _read(path: Path) -> dict[str, Any]:
    try:
        record = parse_json(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def read_outcome(job: Job, seconds: float) -> Outcome | None:
    """Returns how this attempt ended; `None` if it left neither result nor error."""
    values, error = read_result(job), read_error(job)
    if values is not None:
        return Outcome(job.number, values, seconds=seconds)
    return None if error is None else Outcome(job.number, error=error, seconds=seconds)


def _check_values(values: Any) -> None:
    if not isinstance(values, dict) or "reward" not in values:
        raise TypeError(f"a child returns a dictionary with 'reward', got {values!r}")
    reward = values["reward"]
    if reward is None:
        if not values.get("rejected"):
            raise ValueError("a child without a reward must say why under 'rejected'")
    elif isinstance(reward, bool) or not isinstance(reward, int | float):
        raise TypeError(f"a reward is a number or None, got {reward!r}")
    elif not math.isfinite(reward):
        raise ValueError(f"the reward is not finite, got {reward}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]


def _write_error(job: Job, text: str) -> None:
    with atomic_write(job.directory / ERROR_NAME) as path:
        path.write_text(json.dumps({"attempt": job.attempt, "error": text}) + "\n")


def _redirect_output(path: Path) -> None:
    """Sends all later output of the process, native libraries' too, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with open(path, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _watch(job: Job, limits: JobLimits, driver: Driver | None) -> None:
    """Ends the process when it exceeds a limit or its driver is dead."""
    began = time.monotonic()

    def watch() -> None:
        while True:
            time.sleep(_POLL_SECONDS)
            if driver is not None and not driver.is_alive():
                os._exit(1)
            if limits.seconds and time.monotonic() - began > limits.seconds:
                _end(f"{TIME_LIMIT}: more than {limits.seconds:g} s")
            if limits.mebibytes and _peak_mebibytes() > limits.mebibytes:
                _end(f"MemoryLimit: more than {limits.mebibytes:g} MiB")

    def _end(text: str) -> None:
        _write_error(job, text)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="limits").start()


def _peak_mebibytes() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kibibytes, macOS bytes.
    return peak / _MEBIBYTE if sys.platform == "darwin" else peak / 1024
