"""Is what is killed again and again worth as much as what was left alone?

  python benchmarks/kills.py --moments=10 --seed=0

Runs each job to the end; then, for each of SIGKILL, SIGTERM and SIGINT, in another directory, where
it gets the signal at random moments and the same command is given again each time, until it ends.
What is left has to be equal bit for bit, but for times: weights, optimizer, logs, journals, scores,
reports. A fault is also an exit code that is not the signal's, a traceback, a partial file that a
signal which can be caught leaves, or any that the next run does not clear away, and a process left.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from fuzzing.inputs import Inputs
from fuzzing.sandbox import Sandbox, command_environment, end_session, temporary_directory
from kill_jobs import JOBS, Job

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# A program that has ended its work when the signal comes ends well. Python ends itself by SIGINT
# instead where the interrupt came in code that was a string, of a dataclass; a shell says 130 to
# both.
_CODES = {
    signal.SIGKILL: {-signal.SIGKILL},
    signal.SIGTERM: {128 + signal.SIGTERM, 0},
    signal.SIGINT: {128 + signal.SIGINT, -signal.SIGINT, 0},
}
_GRACE_SECONDS = 60.0


class Killed:
    """A job in a directory, which is killed and given again.

    Args:
        job: The job.
        directory: Where it works; made.
        inputs: The good inputs.
        number: The signal.
    """

    def __init__(self, job: Job, directory: Path, inputs: Inputs, number: signal.Signals) -> None:
        self.job = job
        self.directory = directory
        self.number = number
        self.faults: list[str] = []
        directory.mkdir(parents=True)
        for name in job.inputs:
            inputs.copy(name, directory)

    def kill(self, seconds: float) -> bool:
        """Starts the job and kills it after some seconds; returns whether it was still running."""
        process = self._start()
        _wait_for_its_code(process)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            leaving = not _catches_signals(process)
            process.send_signal(self.number)
        else:
            self._check_end(process, "without a signal")
            return False
        try:
            _, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.faults.append(f"after {seconds:.1f} s: did not end in 120 s")
            return True
        when = f"after {seconds:.1f} s"
        if process.returncode not in _CODES[self.number] and not leaving:
            self.faults.append(f"{when}: exit code {process.returncode}: {errors[-300:]!r}")
        if "Traceback" in errors:
            self.faults.append(f"{when}: a traceback: {errors[-300:]!r}")
        self._check_processes(process, when)
        if self.number != signal.SIGKILL:
            self._check_partial(when)
        return True

    def finish(self) -> None:
        """Runs the job to its end."""
        process = self._start()
        _, errors = process.communicate()
        if process.returncode:
            self.faults.append(f"at the end: exit code {process.returncode}: {errors[-500:]!r}")
        self._check_end(process, "at the end")

    def left(self) -> dict:
        """Returns what the job has left."""
        return dict(self.job.left(self.directory))

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "nasnet_keras", *self.job.words],
            cwd=self.directory,
            # What one has downloaded and converted is not the others'.
            env=command_environment(self.directory) | {"KERAS_HOME": f"{self.directory}/keras"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _check_end(self, process: subprocess.Popen, when: str) -> None:
        self._check_processes(process, when)
        self._check_partial(when)

    def _check_processes(self, process: subprocess.Popen, when: str) -> None:
        if count := end_session(process.pid, _GRACE_SECONDS):
            self.faults.append(f"{when}: {count} processes left")

    def _check_partial(self, when: str) -> None:
        names = [
            str(path.relative_to(self.directory))
            for path in self.directory.rglob(".*")
            if ".partial" in path.name or ".old" in path.name
        ]
        temporary = self.directory.parent / f"{self.directory.name}.tmp"
        names += [f"{temporary.name}/{path.name}" for path in temporary.iterdir()]
        if names:
            self.faults.append(f"{when}: left {', '.join(names[:3])}")


def _wait_for_its_code(process: subprocess.Popen) -> None:
    """Waits until Python has started and runs the program, or has ended."""
    while process.poll() is None and not _catches_signals(process):
        time.sleep(0.005)


def _catches_signals(process: subprocess.Popen) -> bool:
    """Returns whether SIGTERM has a handler, which Python does not give it."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    mask = next((line for line in status.splitlines() if line.startswith("SigCgt")), "x 0")
    return bool(int(mask.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def try_job(name: str, directory: Path, inputs: Inputs, moments: int, seed: int) -> list[Counter]:
    """Runs a job alone and under each signal; returns a row a signal, and prints faults."""
    job = JOBS[name]
    for each in job.inputs:
        inputs.need(each)
    began = time.monotonic()
    alone = Killed(job, directory / "alone", inputs, signal.SIGKILL)
    alone.finish()
    whole, expected = time.monotonic() - began, alone.left()
    rows = []
    source = random.Random(f"{seed}/{name}")
    _say(name, "alone", alone.faults)
    for number in SIGNALS:
        row = Counter(runs=0, things=len(expected))
        rest = moments
        while rest:
            row["runs"] += 1
            killed = Killed(job, directory / f"{number.name}-{row['runs']}", inputs, number)
            while rest and killed.kill(source.uniform(0, whole)):
                rest -= 1
                row["kills"] += 1
            killed.finish()
            left = killed.left()
            different = [
                each for each in {**expected, **left} if left.get(each) != expected.get(each)
            ]
            row["different"] += len(different)
            if different:
                killed.faults.append(f"{len(different)} differ: {', '.join(different[:5])}")
            row["faults"] += len(killed.faults)
            _say(name, number.name, killed.faults)
            shutil.rmtree(killed.directory)
        row["faults"] += len(alone.faults)
        rows.append(row)
        print(_row(name, number.name, row), flush=True)
    shutil.rmtree(directory)
    return rows


def _say(name: str, how: str, faults: list[str]) -> None:
    for fault in faults:
        print(f"{name}, {how}: {fault}", flush=True)


def _row(name: str, how: str, row: Counter) -> str:
    numbers = (row[each] for each in ("kills", "runs", "things", "different", "faults"))
    return f"{name:24} {how:8}" + "".join(f"{number:10}" for number in numbers)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--moments", type=int, default=10, help="how often each signal hits each job")
    add("--seed", type=int, default=0, help="seed of the moments")
    add("--job", action="append", choices=list(JOBS), help="a job to try alone; repeatable")
    add("--keep", type=Path, help="directory to keep the good inputs in")
    return parser.parse_args()


def main() -> int:
    options = parse()
    with temporary_directory() as root:
        sandbox = Sandbox(root / "logs", time_limit=900)
        inputs = Inputs((options.keep or root).resolve() / "inputs", sandbox)
        columns = ("kills", "runs", "things", "different", "faults")
        print(f"{'':33}" + "".join(f"{column:>10}" for column in columns))
        faults = 0
        for name in options.job or JOBS:
            rows = try_job(name, root / "jobs", inputs, options.moments, options.seed)
            faults += sum(row["faults"] for row in rows)
    print(f"{faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
