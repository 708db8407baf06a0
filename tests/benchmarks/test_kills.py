"""Jobs that are killed: the shortest one; trainings and searches have tests of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")
ROOT = Path(__file__).resolve().parents[2]


def test_a_drawing_that_is_killed_leaves_nothing_and_is_drawn_again() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/kills.py", "--moments=2", "--job=drawing of a cell"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("drawing")]
    assert [(row[4], row[5]) for row in rows] == [
        ("SIGKILL", "2"),
        ("SIGTERM", "2"),
        ("SIGINT", "2"),
    ]
