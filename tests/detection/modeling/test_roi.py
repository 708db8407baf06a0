"""Crops against TensorFlow's, and the second stage in chunks against all crops at once."""

from typing import Any

import keras
import numpy as np
import pytest

from nasnet_keras.detection import build_backbone
from nasnet_keras.detection.modeling.roi_align import roi_align
from nasnet_keras.detection.modeling.roi_features import roi_features
from tests.detection_network import tiny_network
from tests.layer_checks import randomize


def array(x: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


def some_boxes(generator: np.random.Generator) -> np.ndarray:
    boxes = generator.uniform(-0.4, 1.4, (300, 4)).astype("float32")
    boxes[:100] = np.sort(boxes[:100].reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    boxes[0] = (0, 0, 1, 1)
    boxes[1] = (0.3, 0.3, 0.3, 0.3)
    boxes[2] = (1, 1, 0, 0)
    boxes[3] = (2, 2, 3, 3)
    boxes[4] = (-1, -1, 2, 2)
    boxes[5] = (0.5, 0, 0.5, 1)
    return boxes


@pytest.mark.tensorflow
@pytest.mark.parametrize("size", [1, 2, 17])
def test_crops_are_tensorflows(size: int) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(10)
    features = generator.normal(size=(3, 13, 20, 5)).astype("float32")
    boxes = some_boxes(generator)
    images = generator.integers(0, 3, 300).astype("int32")
    found = array(roi_align(features, boxes, images, size))
    expected = tf.image.crop_and_resize(features, boxes, images, (size, size)).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.tensorflow
def test_gradients_of_crops_are_tensorflows() -> None:
    import tensorflow as tf

    generator = np.random.default_rng(11)
    features = tf.constant(generator.normal(size=(2, 6, 7, 3)).astype("float32"))
    boxes = some_boxes(generator)[:40]
    images = generator.integers(0, 2, 40).astype("int32")
    weights = generator.normal(size=(40, 5, 5, 3)).astype("float32")
    gradients = []
    for crop in (
        lambda: roi_align(features, boxes, images, 5),
        lambda: tf.image.crop_and_resize(features, boxes, images, (5, 5)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(features)
            total = tf.reduce_sum(crop() * weights)
        gradients.append(tf.convert_to_tensor(tape.gradient(total, features)).numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], atol=1e-5)


def test_a_crop_of_a_ramp_is_a_ramp() -> None:
    ramp = np.arange(11, dtype="float32")[None, :, None, None] + np.zeros((1, 11, 11, 1), "float32")
    boxes = np.array([[0.2, 0, 0.6, 1], [-0.1, 0, 0.3, 1]], "float32")
    crops = array(roi_align(ramp, boxes, np.zeros(2, "int32"), 5))
    np.testing.assert_allclose(crops[0, :, 2, 0], [2, 3, 4, 5, 6], rtol=1e-6)
    np.testing.assert_allclose(crops[1, :, 2, 0], [0, 0, 1, 2, 3], atol=1e-6)


def run(chunk: int | None, training: bool) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Returns values, gradients and the second stage's state afterwards."""
    keras.utils.set_random_seed(0)
    backbone = build_backbone(tiny_network())
    randomize(backbone.network)
    stage = backbone.second_stage
    generator = np.random.default_rng(12)
    features = generator.normal(size=(2, 5, 6, backbone.channels)).astype("float32")
    boxes = generator.uniform(-0.1, 1.1, (2, 6, 4)).astype("float32")
    wanted = generator.normal(size=(2, 6, stage.output_channels)).astype("float32")

    def values(x: Any) -> Any:
        return roi_features(stage, x, boxes, 4, chunk, training=training)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        @tf.function
        def compute(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = values(x)
                total = tf.reduce_sum(outputs * wanted)
            weights = [v.value for v in stage.trainable_variables]
            return outputs, tape.gradient(total, [x, *weights])

        outputs, gradients = compute(tf.constant(features))
    elif keras.backend.backend() == "jax":
        import jax

        def total(x: Any, weights: Any) -> Any:
            mapping = list(zip(stage.trainable_variables, weights, strict=True))
            with keras.StatelessScope(mapping) as scope:
                outputs = values(x)
            state = [scope.get_current_value(v) for v in stage.non_trainable_variables]
            return (outputs * wanted).sum(), (outputs, state)

        weights = [v.value for v in stage.trainable_variables]
        gradients, (outputs, state) = jax.jit(jax.grad(total, (0, 1), has_aux=True))(
            features, weights
        )
        gradients = [gradients[0], *gradients[1]]
        for variable, value in zip(stage.non_trainable_variables, state, strict=True):
            if value is not None:
                variable.assign(value)
    else:
        pytest.skip("gradients on TensorFlow and JAX")
    return (
        array(outputs),
        [array(keras.ops.convert_to_tensor(g)) for g in gradients],
        [array(v) for v in stage.non_trainable_variables],
    )


def test_chunks_give_the_values_and_gradients_of_all_at_once() -> None:
    values, gradients, state = run(None, training=False)
    for chunk in (4, 6):
        found, found_gradients, found_state = run(chunk, training=False)
        np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-5)
        for x, y in zip(found_gradients, gradients, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4 * np.abs(y).max())
        for x, y in zip(found_state, state, strict=True):
            np.testing.assert_array_equal(x, y)


def test_batch_norm_learns_from_every_chunk_once() -> None:
    _, _, start = run(None, training=False)
    _, gradients, state = run(3, training=True)
    _, _, whole = run(None, training=True)
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in gradients)
    # Four chunks move a mean towards the batch's as far as 1 - 0.8^4, one batch as far as 0.2.
    moved, once = (
        np.concatenate([(x - y).ravel() for x, y in zip(after, start, strict=True)])
        for after in (state, whole)
    )
    ratio = np.dot(moved, once) / np.dot(once, once)
    assert ratio == pytest.approx((1 - 0.8**4) / 0.2, rel=0.25)
