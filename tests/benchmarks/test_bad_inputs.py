"""Bad inputs: some of a fixed seed are refused rightly, and what would be wrong is seen."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from nasnet_keras.programs import verbs

ROOT = Path(__file__).resolve().parents[2]
# Those that need no trained network, which takes longer to make than to try.
QUICK = (
    "genotype",
    "configuration of a search",
    "journal of a search",
    "snapshot of a search",
    "COCO annotations",
    "VOC annotations",
    "detections",
    "flags: train",
    "flags: check-data",
    "flags: search run",
    "flags: search status",
    "flags: search top",
    "flags: search report",
    "flags: search draw",
    "flags: search export",
    "flags: detect make-toy-dataset",
    "flags: detect train",
    "flags: detect browse",
)


def test_bad_inputs_of_a_seed_are_refused_in_one_line_and_nothing_changes() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/bad_inputs.py", "--seed=1", "--cases=200", "--processes=2"]
        + [f"--only={kind}" for kind in QUICK],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    total = next(line for line in done.stdout.splitlines() if line.startswith("all "))
    cases, refused, accepted, *faults = map(int, total.split()[1:-1])
    assert cases == refused + accepted and refused > 70 and not any(faults)


def test_every_program_and_input_is_tried() -> None:
    from fuzzing.commands import COMMANDS
    from fuzzing.inputs import MAKERS
    from fuzzing.kinds import KINDS

    # A page that a changed line does not refuse never ends; `info` reads no input.
    assert COMMANDS.keys() == {name for name, _ in verbs.programs()} - {"demo", "info"}
    damaged = {pattern.partition("/")[0] for kind in KINDS.values() for pattern in kind.files}
    # The conversion that is killed has inputs of its own.
    assert damaged == MAKERS.keys() - {"wide.json", "keras"}


def test_the_seed_fixes_an_input(tmp_path: Path) -> None:
    import random

    from fuzzing.flag_cases import damage_command
    from fuzzing.inputs import Inputs
    from fuzzing.kinds import KINDS, damage_file
    from fuzzing.sandbox import Sandbox

    inputs = Inputs(tmp_path / "inputs", Sandbox(tmp_path))
    made = []
    for name in ("one", "other", "different"):
        directory = tmp_path / name
        directory.mkdir()
        source = random.Random(f"{name == 'different'}")
        damaged = [
            damage_file(
                KINDS["genotype"], directory, source, lambda _, d=directory: inputs.copy(_, d)
            ),
            damage_command("train", source),
        ]
        made.append((damaged, [p.read_bytes() for p in directory.iterdir() if p.is_file()]))
    assert made[0] == made[1] != made[2]


def _raise() -> None:
    raise KeyError("oops")


def _print_two_lines() -> None:
    print("error: one\nerror: two", file=sys.stderr)
    sys.exit(2)


def _leave_a_file() -> None:
    Path("left").touch()
    print("error: no", file=sys.stderr)
    sys.exit(2)


def _change_the_input() -> None:
    Path("input").write_text("changed")


def _wait() -> None:
    time.sleep(60)


def _compute() -> None:
    while True:
        pass


def _leave_a_process() -> None:
    if os.fork():
        print("error: no", file=sys.stderr)
        sys.exit(2)
    _wait()


@pytest.mark.parametrize(
    ("program", "sort"),
    [
        (_raise, "traceback"),
        (lambda: os.kill(os.getpid(), signal.SIGALRM), "aborted"),
        (_print_two_lines, "message"),
        (lambda: sys.exit(2), "message"),
        (lambda: sys.exit(3), "message"),
        (lambda: (print(f"error: {'a' * 5000}", file=sys.stderr), sys.exit(2)), "message"),
        (lambda: (print("error: \x1b[31m", file=sys.stderr), sys.exit(2)), "message"),
        (_leave_a_file, "left"),
        (_leave_a_process, "left"),
        (_change_the_input, "changed"),
        (_wait, "hang"),
        (_compute, "hang"),
        (lambda: (print("error: no", file=sys.stderr), sys.exit(2)), ""),
        (lambda: None, ""),
    ],
)
def test_faults_are_seen(program, sort: str, tmp_path: Path, monkeypatch) -> None:
    from fuzzing import sandbox
    from fuzzing.verdict import digest, faults

    monkeypatch.setattr(verbs, "run", program)
    monkeypatch.setattr(sandbox, "_GRACE_SECONDS", 0.5)
    monkeypatch.setattr(sandbox, "_IDLE_SECONDS", 1.0)
    directory = tmp_path / "case"
    directory.mkdir()
    (directory / "input").write_text("input")
    before = digest(directory)
    runner = sandbox.Sandbox(tmp_path / "logs", time_limit=1.0)
    runner._imported = True  # Nothing to import.
    ended = runner.fork(directory, [], work=True)
    found = faults(ended, before, digest(directory), [])
    assert [fault.partition(":")[0] for fault in found] == ([sort] if sort else []), found
