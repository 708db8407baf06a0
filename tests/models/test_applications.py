"""The `keras.applications` signatures, beside the originals."""

import inspect

import keras
import numpy as np
import pytest

import nasnet_keras as nk

PAIRS = [
    (nk.NASNetMobile, keras.applications.NASNetMobile),
    (nk.NASNetLarge, keras.applications.NASNetLarge),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_arguments_and_defaults_are_the_same(ours, theirs) -> None:
    def arguments(function) -> dict:
        parameters = inspect.signature(function).parameters.values()
        return {parameter.name: parameter.default for parameter in parameters}

    assert arguments(ours) == arguments(theirs)


@pytest.mark.parametrize(
    "arguments",
    [
        {"classes": 10},
        {"weights": "nowhere.h5"},
        {"input_shape": (16, 16, 3), "weights": None, "include_top": False},
        {"input_shape": (32, 32), "weights": None},
        {"input_shape": (224, 224, 4), "include_top": False},
        {"classifier_activation": "relu"},
    ],
)
def test_what_keras_refuses_is_refused(arguments: dict) -> None:
    for function in PAIRS[0]:
        with pytest.raises(ValueError):
            function(**arguments)


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({}, (None, 1000)),
        ({"classes": 7, "input_shape": (64, 96, 3)}, (None, 7)),
        ({"include_top": False}, (None, 7, 7, 1056)),
        ({"include_top": False, "pooling": "avg"}, (None, 1056)),
        ({"include_top": False, "pooling": "max", "input_shape": (96, 64, 3)}, (None, 1056)),
        ({"name": "mine"}, (None, 1000)),
    ],
)
def test_outputs_have_keras_shapes(arguments: dict, shape: tuple) -> None:
    ours = nk.NASNetMobile(weights=None, **arguments)
    theirs = keras.applications.NASNetMobile(weights=None, **arguments)
    assert ours.output_shape == theirs.output_shape == shape
    assert ours.count_params() == theirs.count_params()
    assert ours.name == theirs.name


def test_pooling_reduces_the_features_after_the_relu() -> None:
    image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    settings = {"weights": None, "include_top": False, "input_shape": (64, 64, 3)}
    models = [nk.NASNetMobile(pooling=pooling, **settings) for pooling in (None, "avg", "max")]
    for model in models[1:]:
        model.set_weights(models[0].get_weights())
    features, mean, maximum = (keras.ops.convert_to_numpy(model(image)) for model in models)
    assert features.min() == 0
    np.testing.assert_allclose(mean, features.mean((1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(maximum, features.max((1, 2)), rtol=1e-4, atol=1e-6)


def test_input_tensor_continues_a_graph() -> None:
    image = keras.Input((64, 64, 3))
    model = nk.NASNetMobile(weights=None, input_tensor=keras.layers.Rescaling(2.0)(image))
    plain = nk.NASNetMobile(weights=None, input_shape=(64, 64, 3))
    plain.set_weights(model.get_weights())
    x = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    result, wanted = (keras.ops.convert_to_numpy(y) for y in (model(x), plain(2 * x)))
    np.testing.assert_allclose(result, wanted, atol=1e-6)
    assert model.inputs[0] is image


def test_the_others_have_their_sizes() -> None:
    assert nk.NASNetCIFAR().output_shape == (None, 10)
    assert nk.PNASNetMobile().count_params() == 5_098_151
    assert nk.PNASNetLarge(include_top=False).output_shape == (None, 11, 11, 4320)


def test_preprocessing_and_decoding() -> None:
    np.testing.assert_allclose(nk.preprocess_input(np.array([0.0, 127.5, 255.0])), [-1, 0, 1])
    with pytest.raises(ValueError):
        nk.decode_predictions(np.zeros((1, 7)))
