"""What keeps batch normalization still while a model around a network is trained."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk


@pytest.mark.parametrize(
    ("trainable", "arguments", "stays"),
    [
        (True, {}, False),
        # Keras 3.12 to 3.15 do not keep the argument within `fit`. Once this fails, they do, and
        # docs/models.md need not warn.
        (True, {"training": False}, False),
        (False, {}, True),
        (False, {"training": False}, True),
    ],
)
def test_frozen_networks_keep_their_statistics_and_called_ones_do_not(trainable, arguments, stays):
    network = nk.create_model(
        "nasnet_cifar", num_cells=2, filters=2, stem_filters=4, include_top=False, pooling="avg"
    )
    network.trainable = trainable
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, keras.layers.Dense(1)(network(image, **arguments)))
    model.compile("sgd", "mse")
    statistics = [v for v in network.weights if v.path.endswith(("_mean", "_variance"))]
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in statistics]
    images = np.random.default_rng(0).normal(3, 2, (4, 32, 32, 3))
    model.fit(images, np.ones((4, 1)), batch_size=4, verbose=0)
    for ours, then in zip(statistics, before, strict=True):
        assert np.array_equal(keras.ops.convert_to_numpy(ours), then) == stays, ours.path
