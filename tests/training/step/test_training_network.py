"""One device, several replicas, workers and parts of a batch train the same weights."""

import json
import socket

import keras
import numpy as np
import pytest

from nasnet_keras.training.distribution import make_distribution
from nasnet_keras.training.step.training_network import TrainingNetwork
from tests.training_runs import (
    difference,
    finished,
    nasnet,
    small_network,
    start,
    train,
    weights,
)

BACKEND = keras.backend.backend()
tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")


@tensorflow_only
def test_replicas_and_parts_train_the_weights_of_one_device_on_both_backends(tmp_path):
    pytest.importorskip("jax")
    path = tmp_path / "tensorflow.keras"
    processes = [
        start("strategies_agree", path),
        start(
            "strategies_agree",
            tmp_path / "jax.keras",
            KERAS_BACKEND="jax",
            XLA_FLAGS="--xla_force_host_platform_device_count=2",
        ),
    ]
    for process in processes:
        assert finished(process).strip().endswith("done")
    assert finished(start("load_and_train_on", path, KERAS_BACKEND="jax")).strip().endswith("done")


@tensorflow_only
def test_two_workers_train_the_weights_of_one_with_their_batches_together(tmp_path):
    ports = []
    sockets = [socket.socket() for _ in range(2)]
    for opened in sockets:
        opened.bind(("localhost", 0))
        ports.append(opened.getsockname()[1])
    for opened in sockets:
        opened.close()
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    path = tmp_path / "model.keras"
    processes = [
        start(
            "work",
            path,
            TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
        )
        for index in range(2)
    ]
    try:
        expected, _ = train(make_distribution("none"), nasnet, 20, 16)
    finally:
        outputs = [finished(process) for process in processes]
    assert all(output.strip().endswith("done") for output in outputs)
    model = keras.saving.load_model(path)
    assert difference(weights(model, True), weights(expected, True)) < 1e-5
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        if "seed" not in ours.path:
            np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5, err_msg=ours.path)


@tensorflow_only
def test_a_step_is_traced_once(monkeypatch):
    traced, step = [], TrainingNetwork.train_step

    def counted(self, data):
        traced.append(self)
        return step(self, data)

    monkeypatch.setattr(TrainingNetwork, "train_step", counted)
    train(make_distribution("none"), small_network, 2, 6)
    assert len(traced) == 1


def test_saved_network_is_loaded_with_its_class_and_optimizer(tmp_path):
    model, _ = train(make_distribution("none"), small_network, 1, 6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is TrainingNetwork
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    np.testing.assert_equal(weights(loaded, True), weights(model, True))
    images = np.zeros((2, 6, 6, 3), "float32")
    ours, theirs = (network.predict(images, verbose=0) for network in (loaded, model))
    np.testing.assert_allclose(ours["logits"], theirs["logits"], atol=1e-6)


def test_parts_are_whole_numbers_that_divide_the_batch():
    model = small_network()
    for steps in (0, 1.5, True, "2"):
        with pytest.raises(ValueError, match="whole number of at least 1"):
            model.accumulation_steps = steps
    # A `ValueError`, or TensorFlow's own where the size is known only when a batch is there.
    with pytest.raises(Exception, match="accumulation_steps=3 does not divide the batch"):
        train(make_distribution("none"), small_network, 1, 6, parts=3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "needs TF_CONFIG"),
        ("{", "is not JSON"),
        ("[]", "has no cluster"),
        ('{"task": {"type": "worker", "index": 0}}', "has no cluster"),
        ('{"cluster": {"ps": ["a:1"]}}', "the cluster has 'ps'"),
        ('{"cluster": {"worker": "a:1"}}', "worker is a list of addresses, got 'a:1'"),
        ('{"cluster": {"worker": ["a:1"]}}', "got task None"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief"}}', r"one of \['worker'\]"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}', "whole number, got None"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            "task index 2 is not in 0 to 1",
        ),
    ],
)
@tensorflow_only
def test_contradictory_cluster_is_refused(config, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match=message):
        make_distribution("multiworker")


def test_strategy_that_does_not_fit_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'mirrored'"):
        make_distribution("mirored")
    with pytest.raises(ValueError, match="devices are chosen for distribution mirrored only"):
        make_distribution("none", ["CPU:0"])
    if BACKEND == "tensorflow":
        cluster = {"chief": ["a:1"], "worker": ["b:1"]}
        task = {"type": "worker", "index": 0}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        with pytest.raises(ValueError, match="which distribution none would train apart"):
            make_distribution()
    else:
        with pytest.raises(ValueError, match=f"multiworker is not available .* {BACKEND}"):
            make_distribution("multiworker")
