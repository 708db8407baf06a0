"""Runs a program on an input: in a fork that has imported everything, or as a user starts it.

The imports take seconds and a refusal takes none. A fork gives each case a process of its own all
the same, which may hang, abort, or eat memory up to a limit.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ACCEPTED = 77
"""Exit code of a program that would begin its work now: the input was accepted."""

# One that neither ends nor computes for so long waits for something that does not come.
_IDLE_SECONDS = 10.0
# What children of a search are forked from ends by itself when the program is gone, but imports
# everything first.
_GRACE_SECONDS = 60.0

ROOT = Path(__file__).resolve().parents[2]
# What begins to train, write or start processes. A case is about what comes before.
_WORK = (
    ("keras", "Model.fit"),
    ("nasnet_keras.search.executors.local_executor", "LocalExecutor.submit"),
    ("nasnet_keras.search.executors.ray_executor", "RayExecutor.__init__"),
    ("nasnet_keras.detection.data.toy_dataset", "make_toy_image"),
    ("nasnet_keras.export", "export_saved_model"),
    ("nasnet_keras.export.detector_formats", "export_detector"),
)
_ALSO_IMPORTED = (
    "h5py",
    "matplotlib.figure",
    "nasnet_keras.classification.classifier",
    "nasnet_keras.classification.trainer",
    "nasnet_keras.detection.evaluation.coco_metrics",
    "nasnet_keras.detection.inference.trained_detector",
    "nasnet_keras.detection.training.trainer",
    "nasnet_keras.detection.visualization.contact_sheets",
    "nasnet_keras.search.children.rerank",
    "nasnet_keras.search.report.report",
    "sklearn.datasets",
    "sklearn.metrics",
    "sklearn.model_selection",
)


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """Makes a directory that is gone after the block. Forks, which end within, leave it alone."""
    path = Path(tempfile.mkdtemp())
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: Its exit code; minus the signal that ended it.
        hung: It was ended at the time limit.
        output: What it printed.
        errors: What it printed on standard error.
        processes: How many processes it left behind.
        seconds: How long it took.
    """

    code: int
    hung: bool
    output: str
    errors: str
    processes: int
    seconds: float


@dataclass
class Sandbox:
    """Where programs run.

    Attributes:
        logs: A directory for what they print.
        time_limit: Seconds of computing after which one hangs; another may take the machine's.
        memory_limit: Bytes of address space.
    """

    logs: Path
    time_limit: float = 60.0
    memory_limit: int = 12 << 30
    _imported: bool = field(default=False, init=False)

    def import_all(self) -> None:
        """Imports what programs import, without a single operation: TensorFlow is to be forked."""
        from nasnet_keras.programs.command_line import import_keras_quietly
        from nasnet_keras.programs.verbs import programs

        import_keras_quietly()
        for name in [module for _, module in programs()] + [*_ALSO_IMPORTED]:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
        self._imported = True

    def fork(self, directory: Path, words: Sequence[str], work: bool = False) -> Ended:
        """Runs the console command in a fork.

        Args:
            directory: Its working directory; `tmp` beside it is its temporary one.
            words: The arguments.
            work: Whether it does its work; otherwise it ends with `ACCEPTED` when that begins.
        """
        if not self._imported:
            self.import_all()

        def start() -> int:
            pid = os.fork()
            if not pid:
                _be(directory, words, work, self.memory_limit)
            return pid

        return self._run(directory, start)

    def process(self, directory: Path, words: Sequence[str]) -> Ended:
        """Runs the console command as a user does."""
        command = [sys.executable, "-m", "nasnet_keras", *words]

        def start() -> int:
            environment = command_environment(directory)
            return subprocess.Popen(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                start_new_session=True,
            ).pid  # fmt: skip

        return self._run(directory, start)

    def _run(self, directory: Path, start: Callable[[], int]) -> Ended:
        self.logs.mkdir(parents=True, exist_ok=True)
        files = [self.logs / f"{directory.name}.{name}" for name in ("out", "err")]
        began = time.monotonic()
        with _redirected(*files):
            pid = start()
        code, hung = _wait(pid, self.time_limit)
        output, errors = (file.read_text("utf-8", errors="replace") for file in files)
        for file in files:
            file.unlink()
        seconds = time.monotonic() - began
        # What stops at its work has no time to end its own processes.
        patience = 0.0 if code == ACCEPTED or hung else _GRACE_SECONDS
        return Ended(code, hung, output, errors, end_session(pid, patience), seconds)


def command_environment(directory: Path) -> dict[str, str]:
    """Returns the environment of a command that a user starts in a directory."""
    return {**os.environ, **_environment(directory), "PYTHONPATH": str(ROOT)}


def _environment(directory: Path) -> dict[str, str]:
    temporary = directory.parent / f"{directory.name}.tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "TMPDIR": str(temporary),
        # Caches of those who try are none of the cases'.
        "KERAS_HOME": str(directory.parent.parent / "keras"),
        "COLUMNS": "120",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _be(directory: Path, words: Sequence[str], work: bool, memory_limit: int) -> None:
    """Becomes the program; does not return."""
    code: object = 1
    try:
        os.setsid()
        os.chdir(directory)
        os.environ.update(_environment(directory))
        tempfile.tempdir = None
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["nasnet-keras", *words]
        # Those of this process may be a test's.
        sys.stdout = os.fdopen(1, "w", errors="strict", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
        if not work:
            _stop_at_work()
        from nasnet_keras.programs import verbs

        verbs.run()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        _leave(code if isinstance(code, int) else 0 if code is None else 1)


def _leave(code: int) -> None:
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _stop_at_work() -> None:
    def accepted(*_: object, **__: object) -> None:
        _leave(ACCEPTED)

    for module, name in _WORK:
        holder = importlib.import_module(module)
        *path, last = name.split(".")
        for each in path:
            holder = getattr(holder, each)
        getattr(holder, last)  # It must be there, or nothing would be stopped.
        setattr(holder, last, accepted)


@contextlib.contextmanager
def _redirected(output: Path, errors: Path):
    """Redirects this process's standard streams, for one that is started within."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(number) for number in (0, 1, 2)]
    try:
        for number, (path, flags) in enumerate(
            ((os.devnull, os.O_RDONLY), (output, os.O_WRONLY), (errors, os.O_WRONLY))
        ):
            opened = os.open(path, flags | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        yield
    finally:
        for number, old in enumerate(saved):
            os.dup2(old, number)
            os.close(old)


def _wait(pid: int, limit: float) -> tuple[int, bool]:
    """Returns the exit code, and whether the program was ended because it hung."""
    pause = 0.002
    computed, moved = 0.0, time.monotonic()
    while computed < limit and time.monotonic() < moved + _IDLE_SECONDS:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), False
        time.sleep(pause)
        pause = min(0.1, pause * 1.3)
        state, now = _state(pid)
        if state != "S" or now != computed:
            computed, moved = now, time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), True


def _state(pid: int) -> tuple[str, float]:
    """Returns the state of a process, e.g. `"S"` for asleep, and the seconds it has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Its own and the system's; those of children that have ended too.
    return fields[0], sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def end_session(session: int, patience: float) -> int:
    """Ends what a program left running; returns how many processes that were."""
    deadline = time.monotonic() + patience
    while (left := _session(session)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(left)


def _session(session: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            # State, parent, group, session.
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(process.name))
    return found
