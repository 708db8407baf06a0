"""The benchmark of the input pipeline runs as its docstring says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow
PROGRAM = Path(__file__).parents[2] / "benchmarks" / "input_pipeline.py"


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parents[1])}
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_benchmark_measures_what_is_asked_for(real_data, tmp_path):
    output = tmp_path / "pipeline.json"
    result = run(
        f"--dataset_dir={real_data / 'tfds'}",
        "--preprocessing=cifar",
        "--seconds=0.2",
        "--demand=10",
        f"--output={output}",
    )
    assert result.returncode == 0, result.stderr
    rows = json.loads(output.read_text())["rows"]
    assert [row["for"] for row in rows] == ["training", "evaluation", "training"]
    for row in rows:
        assert (
            row["images/s"] == pytest.approx(10 * row["times the demand"]) and row["images/s"] > 0
        )


def test_benchmark_says_on_one_line_what_is_wrong(tmp_path):
    result = run(f"--dataset_dir={tmp_path}", "--preprocessing=cifar")
    assert result.returncode == 2 and "tfds build cifar10" in result.stderr
    assert result.stderr.count("\n") == 1
    result = run(f"--dataset_dir={tmp_path}", "--preprocessing=cifr")
    assert result.returncode == 2 and "did you mean 'cifar'" in result.stderr
