"""Networks train under Keras's global mixed-precision policies, with XLA and without."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification.objective import add_weight_decay, cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.layers import BatchNormalization
from nasnet_keras.training.distribution import make_distribution
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from tests.one_block_cells import GENOTYPE
from tests.training_runs import small_network, train

BACKEND = keras.backend.backend()
CASES = [
    ("mixed_bfloat16", False, False),
    ("mixed_float16", False, True),
    ("mixed_float16", True, False),
]


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.skipif(BACKEND not in ("tensorflow", "jax"), reason="trained on these two")
@pytest.mark.parametrize(("policy", "compiled", "rematerialize"), CASES, indirect=["policy"])
def test_half_precision_trains_and_keeps_its_state_in_full(policy, compiled, rematerialize):
    keras.utils.set_random_seed(1)
    recipe = get_recipe("nasnet_mobile_imagenet").override(learning_rate=0.01, replicas=1)
    config = nk.get_preset("nasnet_cifar").config.replace(
        genotype=GENOTYPE,
        num_cells=3,
        filters=4,
        stem_filters=6,
        drop_path_keep_probability=0.6,
        drop_path_total_steps=4,
        rematerialize=rematerialize,
    )
    model = nk.build_network(config, 5, (24, 24, 3), auxiliary_head=True)
    losses, weights = cross_entropies(0.4, 0.1)
    optimizer = make_optimizer(recipe, make_learning_rate(recipe, 4, 2))
    model.compile(optimizer, loss=losses, loss_weights=weights, jit_compile=compiled)
    add_weight_decay(model, 4e-5)
    before = {v.path: keras.ops.convert_to_numpy(v.value) for v in model.variables}
    images = np.random.default_rng(3).normal(size=(4, 24, 24, 3)).astype("float32")
    labels = np.eye(5, dtype="float32")[:4]
    history = model.fit(images, dict.fromkeys(losses, labels), batch_size=2, epochs=6, verbose=0)

    assert np.isfinite(history.history["loss"]).all()
    outputs = model(images, training=False)
    assert {keras.backend.standardize_dtype(x.dtype) for x in outputs.values()} == {"float32"}
    assert model.get_layer("cell_0").compute_dtype == policy.removeprefix("mixed_")
    for variable in model.variables:
        value = keras.ops.convert_to_numpy(variable.value)
        assert np.isfinite(value).all(), variable.path
        if variable.path == "drop_path_schedule/step":
            assert variable.dtype == "int32" and value == 12
        elif "seed_generator" not in variable.path:
            assert variable.dtype == "float32", variable.path
            # Float16 skips the first three steps or so, until its scale of the loss fits.
            assert (value != before[variable.path]).any(), variable.path


@pytest.mark.parametrize("policy", ["mixed_bfloat16"], indirect=True)
def test_statistics_of_half_precision_images_are_computed_in_full(policy):
    images = np.random.default_rng(0).normal(100.0, 2.0, (8, 9, 9, 4))
    # Of numbers around 100 bfloat16 has every second half.
    rounded = keras.ops.cast(images.astype("float32"), "bfloat16")
    exact = keras.ops.convert_to_numpy(keras.ops.cast(rounded, "float32")).astype("float64")
    layer = BatchNormalization(momentum=0.5, epsilon=1e-3)
    outputs = layer(rounded, training=True)

    mean, variance = exact.mean((0, 1, 2)), exact.var((0, 1, 2), ddof=1)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    for found, expected in ((layer.moving_mean, mean / 2), (layer.moving_variance, variance / 2)):
        assert found.dtype == "float32"
        expected = expected + (0.5 if found is layer.moving_variance else 0.0)
        np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_averages_and_statistics_of_a_half_precision_training_are_near_those_of_a_full_one():
    averages, statistics = {}, {}
    before = keras.config.dtype_policy()
    for name in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(name)
        try:
            model, _ = train(make_distribution("none"), small_network, 6, 6)
        finally:
            keras.config.set_dtype_policy(before)
        # In order: Keras numbers the names of the second one's layers on.
        averages[name] = list(averaged_weights(model).values())
        kept = [v for v in model.non_trainable_variables if "moving" in v.name]
        statistics[name] = list(map(keras.ops.convert_to_numpy, kept))
    for values in (averages, statistics):
        full, half = values["float32"], values["mixed_bfloat16"]
        assert len(full) == len(half) >= 2
        for value, near in zip(half, full, strict=True):
            assert value.dtype == "float32"
            np.testing.assert_allclose(value, near, atol=0.05 * np.abs(near).max())
        numbers = np.concatenate([value.ravel() for value in half])
        rounded = keras.ops.cast(keras.ops.cast(numbers, "bfloat16"), "float32")
        # They have digits that bfloat16 has not.
        assert (numbers != keras.ops.convert_to_numpy(rounded)).mean() > 0.9
