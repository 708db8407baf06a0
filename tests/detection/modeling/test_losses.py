"""Losses and their gradients against plain NumPy."""

from typing import Any

import keras
import numpy as np

from nasnet_keras.detection.modeling.losses import box_loss, class_loss

GENERATOR = np.random.default_rng(13)
SAMPLED = GENERATOR.uniform(size=(3, 8)) < 0.7
SAMPLED[2] = False
POSITIVE = SAMPLED & (GENERATOR.uniform(size=(3, 8)) < 0.5)
ENCODINGS = GENERATOR.normal(0, 2, (3, 8, 4)).astype("float32")
TARGETS = GENERATOR.normal(0, 2, (3, 8, 4)).astype("float32")
LOGITS = GENERATOR.normal(0, 2, (3, 8, 5)).astype("float32")
CLASSES = GENERATOR.integers(0, 5, (3, 8)).astype("int32")


def value_and_gradient(function: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the losses of the images and the gradient of their sum."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(function(x)), np.asarray(jax.grad(lambda v: function(v).sum())(x))
    import tensorflow as tf

    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        losses = function(tensor)
    return losses.numpy(), tape.gradient(losses, tensor).numpy()


def test_box_loss_and_its_gradient() -> None:
    expected, slope = np.zeros(3), np.zeros((3, 8, 4))
    for k in range(3):
        count = max(SAMPLED[k].sum(), 1)
        for i in np.flatnonzero(POSITIVE[k]):
            for j in range(4):
                error = float(ENCODINGS[k, i, j]) - float(TARGETS[k, i, j])
                small = abs(error) <= 1
                expected[k] += (0.5 * error**2 if small else abs(error) - 0.5) / count
                slope[k, i, j] = (error if small else np.sign(error)) / count
    targets = np.where(POSITIVE[..., None], TARGETS, np.nan)  # What is not positive is not read.
    losses, gradient = value_and_gradient(
        lambda x: box_loss(x, targets, POSITIVE, SAMPLED, 1.0), ENCODINGS
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, atol=1e-6)
    assert expected[0] > 0 and expected[2] == 0


def test_box_losses_delta_is_where_the_line_begins() -> None:
    one = np.ones((1, 1), bool)
    error = np.array([[[3.0, 0, 0, 0]]], "float32")
    loss = box_loss(error, np.zeros((1, 1, 4), "float32"), one, one, 2.0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), [2.0 * (3 - 1)], rtol=1e-6)


def test_class_loss_and_its_gradient() -> None:
    expected, slope = np.zeros(3), np.zeros((3, 8, 5))
    for k in range(3):
        count = max(SAMPLED[k].sum(), 1)
        for i in np.flatnonzero(SAMPLED[k]):
            shifted = np.exp(LOGITS[k, i].astype("float64") - LOGITS[k, i].max())
            probabilities = shifted / shifted.sum()
            expected[k] -= np.log(probabilities[CLASSES[k, i]]) / count
            slope[k, i] = (probabilities - np.eye(5)[CLASSES[k, i]]) / count
    losses, gradient = value_and_gradient(lambda x: class_loss(x, CLASSES, SAMPLED), LOGITS)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, atol=1e-6)
