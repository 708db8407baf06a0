"""The detection programs, as a user runs them on a dataset of a few images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data import write_toy_dataset
from tests.detection_network import tiny_config

ROOT = Path(__file__).parents[2]


def run(program: str, **flags: object) -> subprocess.CompletedProcess:
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.run(
        [sys.executable, f"object_detection/{program}.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A dataset, a run of two steps by a configuration of the user's own, and what it printed."""
    root = tmp_path_factory.mktemp("detection")
    write_toy_dataset(root / "data", train_images=4, val_images=3)
    config = TrainingConfig("mine", tiny_config(classes=10), steps=9, batch_size=2)
    (root / "mine.json").write_text(json.dumps(config.to_dict()))
    result = run(
        "train",
        config=root / "mine.json",
        dataset_dir=root / "data",
        train_dir=root / "run",
        max_number_of_steps=2,
        evaluate_every_epochs=0,
    )
    return root, result


def test_training_runs_by_a_file_and_its_flags(trained):
    root, result = trained
    assert result.returncode == 0, result.stderr
    assert "step 2/2" in result.stdout and "AP50" in result.stdout
    config = json.loads((root / "run" / "config.json").read_text())
    assert config["training"]["steps"] == 2 and config["class_names"][3] == "3"


def test_evaluation_scores_the_images_of_a_list(trained):
    root, _ = trained
    (root / "ids.txt").write_text("000000000001.jpg\n3\n")
    result = run(
        "evaluate",
        checkpoint_path=root / "run",
        dataset_dir=root / "data",
        eval_dir=root / "eval",
        image_ids=root / "ids.txt",
    )
    assert result.returncode == 0, result.stderr
    assert "step 2: 2 images of val" in result.stdout
    metrics = json.loads((root / "eval" / "metrics.json").read_text())
    assert metrics["images"] == 2 and len(metrics["per_class"]) == 10
    detections = json.loads((root / "eval" / "results.json").read_text())
    assert {detection["image_id"] for detection in detections} <= {1, 3}
    for name in ("AP", "AR_100"):
        shown = f"{metrics[name]:.4f}" if metrics[name] >= 0 else "-"
        assert f"{name:10} {shown}" in result.stdout
