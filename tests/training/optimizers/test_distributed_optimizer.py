"""The optimizers under MirroredStrategy, on two virtual devices of a process of their own.

Without clipping: Keras clips each replica's share of the gradient before it adds them up.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

PROGRAM = """
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from nasnet_keras.training.optimizers.moving_average import (
    AveragedAdam, AveragedRMSProp, AveragedSGD, assign_averages, averaged_weights,
)

random = np.random.default_rng(0)
inputs = random.normal(size=(64, 4)).astype("float32")
targets = random.normal(size=(64, 2)).astype("float32")

def trained(strategy, make):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
        model.compile(make(), loss="mse")
    data = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(8)
    model.fit(data, epochs=2, verbose=0)
    averages = list(averaged_weights(model).values())
    weights = [keras.ops.convert_to_numpy(w).copy() for w in model.weights]
    with strategy.scope():
        assert assign_averages(model)
        loss = model.evaluate(data, verbose=0)
    return weights, averages, loss

for make in (
    lambda: AveragedSGD(0.1, momentum=0.9),
    lambda: AveragedAdam(0.01),
    lambda: AveragedRMSProp(0.1),
):
    one = trained(tf.distribute.get_strategy(), make)
    two = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), make)
    for ours, expected in zip(two[0] + two[1], one[0] + one[1], strict=True):
        np.testing.assert_allclose(ours, expected, atol=2e-6)
    assert len(one[1]) == len(one[0]) == 4
    assert abs(one[2] - two[2]) < 1e-5
    assert np.abs(one[0][0] - one[1][0]).max() > 1e-3
print("equal")
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_two_replicas_train_weights_and_averages_of_one():
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("equal")
