"""The objective's parts against plain numpy; `test_golden_training.py` has the original's."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification.objective import add_weight_decay, cross_entropies, decayed_weights


def softmax_cross_entropy(logits, targets):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(targets * log_probabilities).sum(axis=1).mean()


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(0, 3, (6, 5)).astype(np.float32)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_smooths_labels_as_tf1_does(logits, smoothing):
    one_hot = np.eye(5, dtype=np.float32)[[0, 4, 2, 2, 1, 3]]
    losses, _ = cross_entropies(0.4, smoothing)
    smoothed = one_hot * (1 - smoothing) + smoothing / 5
    for name in ("logits", "auxiliary_logits"):
        expected = softmax_cross_entropy(logits.astype(np.float64), smoothed)
        assert float(losses[name](one_hot, logits)) == pytest.approx(expected, rel=1e-6)


def test_auxiliary_head_counts_by_its_weight():
    assert cross_entropies(0.4)[1] == {"logits": 1.0, "auxiliary_logits": 0.4}
    assert cross_entropies(0.0)[1] == {"logits": 1.0}


def test_weight_decay_is_half_the_squared_norm_of_the_kernels_alone():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.SeparableConv2D(4, 3, use_bias=True, bias_initializer="ones"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, bias_initializer="ones"),
        ]
    )
    kernels = [w for w in model.trainable_weights if "kernel" in w.name]
    assert [w.name for w in kernels] == ["depthwise_kernel", "pointwise_kernel", "kernel"]
    expected = 0.01 * sum(float((np.asarray(w) ** 2).sum()) for w in kernels) / 2
    add_weight_decay(model, 0.01)
    assert sum(float(loss) for loss in model.losses) == pytest.approx(expected, rel=1e-6)
    add_weight_decay(model, 0.0)
    assert model.losses == []


def test_every_kernel_of_a_network_decays_and_nothing_else():
    model = nk.create_model("nasnet_cifar", num_cells=2, filters=4, auxiliary_head=True)
    decayed = {weight.path for weight in decayed_weights(model)}
    others = {weight.name for weight in model.trainable_weights if weight.path not in decayed}
    assert others == {"gamma", "beta", "bias"}
