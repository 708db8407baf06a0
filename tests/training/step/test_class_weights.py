"""Weights of classes in the loss of a step, against plain NumPy."""

import keras
import numpy as np
import pytest

from nasnet_keras.classification.objective import cross_entropies
from nasnet_keras.training.step.training_network import TrainingNetwork

WEIGHTS = np.array([2.0, 0.0, 0.5], "float32")


@pytest.mark.parametrize("parts", [1, 2])
def test_an_image_counts_as_its_class_does_in_both_outputs(parts):
    if parts > 1 and keras.backend.backend() not in ("tensorflow", "jax"):
        pytest.skip("this backend trains a batch as one only")
    random = np.random.default_rng(0)
    images = random.normal(size=(8, 4)).astype("float32")
    labels = np.eye(3, dtype="float32")[[0, 1, 2, 2, 1, 0, 0, 2]]
    image = keras.Input((4,))
    dense = {name: keras.layers.Dense(3, name=name) for name in ("logits", "auxiliary_logits")}
    model = TrainingNetwork(image, {name: layer(image) for name, layer in dense.items()})
    model.class_weights, model.accumulation_steps = WEIGHTS, parts
    losses, loss_weights = cross_entropies(0.5, 0.1)
    model.compile(keras.optimizers.SGD(1.0), loss=losses, loss_weights=loss_weights)
    expected, kernels = 0.0, {}
    smoothed = labels * 0.9 + 0.1 / 3
    for name, layer in dense.items():
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        logits = images @ kernel
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        image_weights = labels @ WEIGHTS
        losses_of_images = -(smoothed * np.log(probabilities)).sum(axis=1) * image_weights
        expected += loss_weights[name] * losses_of_images.mean()
        slope = images.T @ ((probabilities - smoothed) * image_weights[:, np.newaxis]) / 8
        kernels[name] = kernel - loss_weights[name] * slope
    history = model.fit(images, dict.fromkeys(dense, labels), batch_size=8, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)
    for name, layer in dense.items():
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(layer.kernel), kernels[name], rtol=1e-4, atol=1e-5
        )
