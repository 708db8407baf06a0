"""The benchmark of readers measures, compares with the need, and refuses what it does not know."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "input_readers.py"


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parents[1])}
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_rates_stand_beside_the_need(tmp_path):
    output = tmp_path / "readers.json"
    arguments = ("--formats=folder,memory", "--read_by=python", "--cores=1", "--images=32")
    result = run(*arguments, "--seconds=0.2", "--needed=10", f"--output={output}")
    assert result.returncode == 0, result.stderr
    rows = json.loads(output.read_text())["rows"]
    assert [(row["images"], row["read by"]) for row in rows] == [
        ("decoding alone", "python"),
        ("folder", "python"),
        ("memory", "numpy"),
    ]
    for row in rows:
        assert row["images/s"] == pytest.approx(10 * row["times the need"])
        assert row["16 cores, estimate"] == pytest.approx(16 * row["of processor"])
        assert row["cores for four times"] == pytest.approx(40 / row["of processor"])
    # Reading has all of decoding to do, and more.
    assert 0 < rows[1]["of processor"] < rows[0]["of processor"]


def test_what_is_unknown_is_told_with_the_nearest():
    result = run("--formats=foldr")
    assert result.returncode == 2 and "did you mean 'folder'" in result.stderr
    assert run("--cores=0").returncode == 2
