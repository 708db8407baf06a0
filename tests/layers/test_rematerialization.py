"""Cells that are computed anew for their gradient train as those that are not."""

from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from tests.layer_checks import randomize

BACKEND = keras.backend.backend()


def network(name: str, rematerialize: bool, keep: float = 0.5) -> keras.Model:
    config = nk.get_preset(name).config.replace(
        num_cells=3,
        filters=8,
        stem_filters=6,
        drop_path_keep_probability=keep,
        drop_path_version="v2",
        rematerialize=rematerialize,
    )
    keras.utils.set_random_seed(4)
    model = nk.build_network(config, 5, (24, 24, 3), auxiliary_head=False)
    randomize(model)
    return model


def two_steps(model: keras.Model, images: np.ndarray, compiled: bool) -> dict[str, list[Any]]:
    """Losses, gradients and non-trainable variables after two calls in training."""
    labels = np.eye(5, dtype="float32")[np.arange(len(images)) % 5]
    results: dict[str, list[Any]] = {"losses": [], "gradients": []}
    if BACKEND == "jax":
        import jax

        trained = [v.value for v in model.trainable_variables]
        state = [v.value for v in model.non_trainable_variables]

        def loss_of(weights: Any, state: Any) -> Any:
            outputs, state = model.stateless_call(weights, state, images, training=True)
            return keras.ops.mean(keras.losses.categorical_crossentropy(labels, outputs)), state

        step = jax.value_and_grad(loss_of, has_aux=True)
        step = jax.jit(step) if compiled else step
        for _ in range(2):
            (loss, state), gradients = step(trained, state)
            results["losses"].append(float(loss))
            results["gradients"] += [np.asarray(x) for x in gradients]
        results["state"] = [np.asarray(x) for x in state]
        return results
    import tensorflow as tf

    def step() -> Any:
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(labels, outputs))
        return loss, tape.gradient(loss, [v.value for v in model.trainable_variables])

    step = tf.function(step) if compiled else step
    for _ in range(2):
        loss, gradients = step()
        results["losses"].append(float(loss))
        results["gradients"] += [x.numpy() for x in gradients]
    results["state"] = [v.numpy() for v in model.non_trainable_variables]
    return results


@pytest.mark.skipif(BACKEND not in ("tensorflow", "jax"), reason="no rematerialization there")
@pytest.mark.parametrize("name", ["nasnet_cifar", "pnasnet_mobile", "nasnet_b_cifar"])
def test_losses_gradients_statistics_and_masks_are_the_plain_networks(name: str) -> None:
    images = np.random.default_rng(3).normal(size=(4, 24, 24, 3)).astype("float32")
    plain, again = network(name, False), network(name, True)
    assert [v.path for v in plain.weights] == [v.path for v in again.weights]
    for model in (plain, again):
        for layer in model.layers:
            if getattr(layer, "drop_path", None) is not None:
                layer.drop_path.seed_generator.state.assign([7, 0])
    expected, found = (two_steps(model, images, compiled=True) for model in (plain, again))
    # Other masks the second time, so that the two steps differ.
    assert expected["losses"][0] != expected["losses"][1]
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-5)
    for kind in ("gradients", "state"):
        assert len(found[kind]) == len(expected[kind]) > 0
        for x, y in zip(found[kind], expected[kind], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4 * max(1, np.abs(y).max()))
