"""A checkpoint is whole or not there, and holds all that a run needs to go on."""

import resource
import signal
import threading
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

from nasnet_keras.training.checkpoint import (
    keep_copy,
    read_training_state,
    restore_checkpoint,
    save_checkpoint,
)
from nasnet_keras.training.preemption import stop_requests


def small_network(seed=0, units=4):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,))
    x = keras.layers.Dense(units, name="dense")(inputs)
    x = keras.layers.Dropout(0.5, seed=seed, name="dropout")(x)
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="bn")(x))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    return model


def fit(model, steps):
    inputs = np.random.default_rng(0).normal(size=(8 * steps, 3)).astype("float32")
    model.fit(inputs, np.ones((8 * steps, 4)), batch_size=8, shuffle=False, verbose=0)


def numbers(model):
    return [ops.convert_to_numpy(v) for v in (*model.variables, *model.optimizer.variables)]


@pytest.fixture(scope="module")
def trained():
    model = small_network()
    fit(model, 3)
    return model


def test_restored_network_goes_on_as_the_saved_one(trained, tmp_path):
    path = tmp_path / "model.keras"
    save_checkpoint(trained, path, step=3)
    other = small_network(seed=1)
    assert restore_checkpoint(other, path).step == 3
    for ours, theirs in zip(numbers(other), numbers(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # Dropout's generator is among them, and Keras does not save it.
    assert any(v.name == "seed_generator_state" for v in other.variables)
    fit(trained, 2), fit(other, 2)
    for ours, theirs in zip(numbers(other), numbers(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_plain_keras_reads_a_checkpoint(trained, tmp_path):
    save_checkpoint(trained, tmp_path / "model.keras", step=3)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.get_weights()[0], trained.get_weights()[0])


def test_sums_behind_the_means_are_saved_within_an_epoch_only(trained, tmp_path):
    save_checkpoint(trained, tmp_path / "in.keras", step=3, in_epoch=True)
    save_checkpoint(trained, tmp_path / "end.keras", step=3)
    assert len(read_training_state(tmp_path / "in.keras").metrics) == len(trained.metrics_variables)
    assert read_training_state(tmp_path / "end.keras").metrics == []


def test_checkpoint_of_another_network_or_none_is_refused(trained, tmp_path):
    path = tmp_path / "model.keras"
    save_checkpoint(trained, path, step=3)
    with pytest.raises(ValueError, match="does not fit the network of this run"):
        restore_checkpoint(small_network(units=5), path)
    trained.save(tmp_path / "plain.keras")
    with pytest.raises(ValueError, match="was not saved by a run"):
        restore_checkpoint(small_network(), tmp_path / "plain.keras")
    (tmp_path / "cut.keras").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is not a complete .keras file"):
        restore_checkpoint(small_network(), tmp_path / "cut.keras")


def test_full_disk_is_an_error_and_leaves_the_last_checkpoint(trained, tmp_path):
    path = tmp_path / "model.keras"
    save_checkpoint(trained, path, step=3)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file that cannot grow is a disk that is full, to the one who writes it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"step 4 cannot be written: .*; .* last good checkpoint"):
            save_checkpoint(trained, path, step=4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_last_copies_are_kept_and_do_not_change_with_the_checkpoint(trained, tmp_path):
    path, copies = tmp_path / "model.keras", tmp_path / "checkpoints"
    for step in (1, 2, 3):
        save_checkpoint(trained, path, step)
        keep_copy(path, copies, step, keep=2)
    names = sorted(file.name for file in copies.iterdir())
    assert names == ["step-000000002.keras", "step-000000003.keras"]
    assert read_training_state(copies / names[0]).step == 2
    assert zipfile.is_zipfile(copies / names[1])


def test_signals_ask_once_and_then_act_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as request:
        assert request.signal is None
        signal.raise_signal(signal.SIGTERM)
        assert request.signal == signal.SIGTERM
        assert signal.getsignal(signal.SIGTERM) == before
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stop_requests() as request:
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert request.signal is None


def test_other_threads_have_no_signals_to_wait_for():
    seen = []

    def within_thread():
        with stop_requests() as request:
            seen.append(request.signal)

    thread = threading.Thread(target=within_thread)
    thread.start()
    thread.join()
    assert seen == [None]
