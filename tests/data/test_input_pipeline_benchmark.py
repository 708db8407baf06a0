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
        assert row["images/s"] > 0
        training = row["for"] == "training"
        assert row["demand"] == (10 if training else None)
        if training:
            assert row["images/s"] == pytest.approx(10 * row["times the demand"])


def test_benchmark_reads_the_demand_of_each_image_size(real_data, tmp_path):
    measured = tmp_path / "throughput.json"
    sides = (("ours", 32, 50.0), ("ours, auxiliary head", 32, 40.0), ("ours", 224, 9.0))
    rows = [
        {"side": side, "size": size, "images_per_second": rate}
        for side, size, rate in (*sides, ("keras.applications", 224, 99.0))
    ]
    measured.write_text(json.dumps({"rows": rows}))
    output = tmp_path / "pipeline.json"
    result = run(
        f"--dataset_dir={real_data / 'tfds'}",
        "--preprocessing=cifar_resize",
        "--seconds=0.2",
        f"--demand={measured}",
        f"--output={output}",
    )
    assert result.returncode == 0, result.stderr
    training, evaluation = json.loads(output.read_text())["rows"]
    assert training["demand"] == 50 and evaluation["demand"] is None
    assert training["images/s"] == pytest.approx(50 * training["times the demand"])
    result = run(f"--dataset_dir={tmp_path}", "--preprocessing=cifar", "--demand=-1")
    assert result.returncode == 2 and "--demand=-1: expected images per second" in result.stderr


def test_benchmark_says_on_one_line_what_is_wrong(tmp_path):
    result = run(f"--dataset_dir={tmp_path}", "--preprocessing=cifar")
    assert result.returncode == 2 and "tfds build cifar10" in result.stderr
    assert result.stderr.count("\n") == 1
    result = run(f"--dataset_dir={tmp_path}", "--preprocessing=cifr")
    assert result.returncode == 2 and "did you mean 'cifar'" in result.stderr
