"""TF 1's RMSProp and moving average against the original's ten steps."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.training.optimizers.moving_average import (
    AveragedAdam,
    AveragedRMSProp,
    AveragedSGD,
    assign_averages,
    averaged_weights,
)
from nasnet_keras.training.optimizers.rmsprop import RMSProp
from nasnet_keras.weights import save_slim_checkpoint
from tests.golden_network import golden_values


def slim_optimizer(**options):
    return AveragedRMSProp(0.1, decay=0.9, momentum=0.9, epsilon=1.0, **options)


def test_ten_steps_give_the_originals_weights_and_averages():
    golden = golden_values("slim_training.npz")
    weight = keras.Variable(golden["rmsprop|w0"], name="w")
    optimizer = slim_optimizer()
    for number, gradient in enumerate(golden["rmsprop|grads"]):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        for variable, name in ((weight, "w"), (optimizer.average_of(weight), "ema")):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(variable),
                golden[f"rmsprop|{name}"][number],
                rtol=0,
                atol=1e-6,
            )


def test_global_norm_is_clipped_over_all_gradients_together():
    weights = [keras.Variable(np.zeros(2, "float32")), keras.Variable(np.zeros(1, "float32"))]
    optimizer = RMSProp(1.0, momentum=0.0, global_clipnorm=1.0)
    gradients = [np.asarray([6.0, 0.0], "float32"), np.asarray([8.0], "float32")]
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], weights)
    clipped = np.asarray([0.6, 0.0, 0.8])
    expected = -clipped / np.sqrt(0.9 + 0.1 * clipped**2 + 1)
    ours = np.concatenate([keras.ops.convert_to_numpy(w) for w in weights])
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def small_model(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )
    model.compile(optimizer, loss="mse")
    return model


def batches(count):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(count * 8, 4)).astype("float32")
    return inputs, random.normal(size=(count * 8, 2)).astype("float32")


class Recorder(keras.callbacks.Callback):
    """Averages the weights after each step, by the definition and in float64."""

    def on_train_begin(self, logs=None):
        self.step = 0
        self.averages = [np.asarray(w, "float64") for w in self.model.trainable_weights]

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        decay = min(0.9999, (1 + self.step) / (10 + self.step))
        weights = [np.asarray(w, "float64") for w in self.model.trainable_weights]
        pairs = zip(self.averages, weights, strict=True)
        self.averages = [decay * average + (1 - decay) * weight for average, weight in pairs]


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has the weights of a step only after the epoch"
)
@pytest.mark.parametrize("optimizer", [AveragedSGD, AveragedAdam, AveragedRMSProp])
def test_averages_follow_the_trained_weights_alone(optimizer):
    model = small_model(optimizer(0.01))
    recorder = Recorder()
    model.fit(*batches(5), batch_size=8, epochs=2, verbose=0, callbacks=[recorder])
    averages = averaged_weights(model)
    assert list(averages) == [w.path for w in model.trainable_weights]
    for ours, expected in zip(averages.values(), recorder.averages, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_averages_and_slots_are_saved_and_resumed(tmp_path):
    inputs, targets = batches(6)
    whole = small_model(slim_optimizer(global_clipnorm=10.0))
    whole.fit(inputs, targets, batch_size=8, shuffle=False, verbose=0)

    first = small_model(slim_optimizer(global_clipnorm=10.0))
    first.fit(inputs[:24], targets[:24], batch_size=8, shuffle=False, verbose=0)
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    assert second.optimizer.get_config() == first.optimizer.get_config()
    second.fit(inputs[24:], targets[24:], batch_size=8, shuffle=False, verbose=0)
    for ours, expected in zip(second.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))
    pairs = zip(averaged_weights(second).values(), averaged_weights(whole).values(), strict=True)
    for ours, expected in pairs:
        np.testing.assert_array_equal(ours, expected)


def test_weights_are_given_the_values_of_their_averages():
    model = small_model(slim_optimizer())
    model.fit(*batches(3), batch_size=8, verbose=0)
    averages = averaged_weights(model)
    assert assign_averages(model)
    for weight in model.trainable_weights:
        np.testing.assert_array_equal(weight, averages[weight.path])


def test_model_without_averages_is_left_as_it_is():
    model = small_model(RMSProp(0.1))
    model.fit(*batches(2), batch_size=8, verbose=0)
    before = [keras.ops.convert_to_numpy(w).copy() for w in model.weights]
    assert averaged_weights(model) == {}
    assert not assign_averages(model)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_impossible_decay_is_refused():
    with pytest.raises(ValueError, match=r"in \(0, 1\), got 1.0"):
        AveragedSGD(0.1, moving_average_decay=1.0)


@pytest.mark.tensorflow
def test_averages_go_into_a_slim_checkpoint(tmp_path):
    def network():
        return nk.create_model("nasnet_cifar", num_cells=2, filters=2, stem_filters=4)

    model, optimizer = network(), AveragedSGD(0.5)
    model.compile(optimizer)
    gradients = [keras.ops.ones(weight.shape) for weight in model.trainable_weights]
    optimizer.apply(gradients, model.trainable_weights)
    averages = averaged_weights(model)
    save_slim_checkpoint(model, tmp_path / "slim", moving_averages=averages)
    loaded = network()
    nk.load_slim_checkpoint(loaded, tmp_path / "slim", use_moving_averages=True)
    for weight in loaded.trainable_weights:
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), averages[weight.path])
