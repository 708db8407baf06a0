"""Two replicas train a detector as one with twice the batch does, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytest.importorskip("tensorflow")

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from nasnet_keras.detection.training import trainer
from nasnet_keras.detection.data import write_toy_dataset
from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.training import trainer as shared
from nasnet_keras.training.distribution import make_distribution
from tests.detection_network import tiny_config

root = Path(sys.argv[1])
write_toy_dataset(root / "data", train_images=8, val_images=2)
# All anchors and proposals are sampled, and BN stays: nothing depends on the replica.
detector = tiny_config(
    classes=10, region_batch_size=32, training_proposals=8, box_batch_size=8,
    box_positive_fraction=1.0, box_positive_iou=0.1, propose_ground_truth=False,
    train_batch_norm=False,
)
config = TrainingConfig(
    "tiny", detector, steps=4, batch_size=1, learning_rate=0.003, learning_rate_boundaries=(),
    evaluate_every_epochs=0,
)
shared.make_distribution = lambda name, **_: make_distribution(
    name, ["CPU:0", "CPU:1"] if name == "mirrored" else None
)
weights = []
for distribution, batch_size in (("mirrored", 1), ("none", 2)):
    options = DetectorRunOptions(distribution=distribution, tensorboard=False)
    run = root / distribution
    metrics = trainer.train(
        config.override(batch_size=batch_size), root / "data", run, Console(quiet=True), options
    )
    assert metrics.images == 2
    weights.append(keras.saving.load_model(run / "model.keras").trainable_weights)
keras.utils.set_random_seed(config.seed)
weights.append(trainer.FasterRCNN(detector, name="detector").trainable_weights)
moved = []
for group in zip(*weights, strict=True):
    two, one, start = map(keras.ops.convert_to_numpy, group)
    np.testing.assert_allclose(two, one, atol=1e-5)
    moved.append(np.abs(one - start).max())
assert min(moved) > 1e-5 and max(moved) > 1e-3, moved
first, second = ((run / "metrics.jsonl").read_text() for run in (root / "mirrored", root / "none"))
assert '"step": 4' in first and '"step": 4' in second
print("equal")
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_two_replicas_train_the_weights_of_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT,
        # oneDNN's kernels damage memory where two virtual devices of a CPU compute at once.
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.stdout.endswith("equal\n"), done.stderr[-3000:]
