"""Configurations are plain data: every way of Keras to save, copy and join networks works."""

import json

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.data.augmentation import Augmentation
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.genotypes import COMBINERS, OPERATIONS, Block, Branch, CellGenotype
from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.weights import load_pretrained
from tests.layerwise_networks import MIXED

IMAGES = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")


def tiny(**overrides):
    settings = {"num_cells": 3, "filters": 2, "stem_filters": 4, "classes": 4}
    return nk.create_model("nasnet_cifar", input_shape=(32, 32, 3), **settings | overrides)


def every_layer():
    """Returns one cell with every operation and combination, and what else a network has."""
    operations, combiners = list(OPERATIONS), [*COMBINERS] * len(OPERATIONS)
    blocks = [
        Block(Branch(name, "current"), Branch("identity", "previous"), combine)
        for name, combine in zip(operations, combiners, strict=False)
    ]
    cell = CellGenotype(tuple(blocks), concat=("previous", f"block_{len(blocks) - 1}"))
    genotype = nk.Genotype("all", cell, cell)
    config = nk.NetworkConfig(
        genotype,
        num_cells=2,
        filters=4,
        stem_filters=4,
        bottleneck=True,
        drop_path_keep_probability=0.9,
        drop_path_total_steps=10,
    )
    model = nk.build_network(config, 3, (64, 64, 3), auxiliary_head=True)
    of_layers = nk.build_network(nk.LayerwiseConfig(MIXED), 3, (9, 9, 3))
    models = (model, of_layers)
    return {type(layer).__name__: layer for each in models for layer in each._flatten_layers()}


def registered_layers():
    names = keras.saving.get_custom_objects()
    return {
        cls.__name__
        for name, cls in names.items()
        if name.startswith(f"{PACKAGE}>")
        and issubclass(cls, keras.layers.Layer)
        and not issubclass(cls, keras.Model)
    }


def test_every_layer_is_made_again_from_json():
    detector = nk.FasterRCNN(tiny_detector())
    others = (Augmentation("cifar", seed=3), detector.region_head, detector.box_head)
    layers = every_layer() | {type(layer).__name__: layer for layer in others}
    for name in registered_layers():
        layer = layers[name]
        config = layer.get_config()
        again = type(layer).from_config(json.loads(json.dumps(config)))
        assert again.get_config() == json.loads(json.dumps(config)) == config, name


def tiny_detector():
    return DetectorConfig(
        nk.NetworkConfig("nasnet_a", num_cells=3, filters=8, stem_filters=8, stem="imagenet"),
        classes=2,
        image_size=(64, 64),
        anchor_base_size=16.0,
        region_filters=8,
    )


def test_a_detector_is_made_again_from_json():
    detector = nk.FasterRCNN(tiny_detector(), precision="float32", seed=1)
    config = json.loads(json.dumps(detector.get_config()))
    again = nk.FasterRCNN.from_config(config)
    assert again.config == detector.config
    assert again.get_config() == config
    assert [v.path for v in again.weights] == [v.path for v in detector.weights]


@pytest.mark.parametrize("drop_path", [{}, {"drop_path_total_steps": 9, "auxiliary_head": True}])
def test_a_legacy_h5_file_loads_again_and_gives_its_weights(drop_path, tmp_path):
    overrides = drop_path | ({"drop_path_keep_probability": 0.8} if drop_path else {})
    model = tiny(**overrides)
    path = tmp_path / "model.h5"
    model.save(path)
    again = keras.models.load_model(path, compile=False)
    assert [v.path for v in again.weights] == [v.path for v in model.weights]
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    other = tiny()
    report = load_pretrained(other, "tiny", path)
    assert report.parameters == other.count_params()
    expected = {v.path: keras.ops.convert_to_numpy(v) for v in model.weights}
    for variable in other.weights:
        np.testing.assert_array_equal(variable, expected[variable.path])


def test_a_file_of_weights_under_another_ending_is_known_by_what_is_in_it(tmp_path):
    model, other = tiny(), tiny()
    model.save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "model.weights.h5").rename(tmp_path / "model.h5")
    load_pretrained(other, "tiny", tmp_path / "model.h5")
    np.testing.assert_array_equal(other(IMAGES), model(IMAGES))


def test_a_network_is_copied_and_made_again_from_json():
    model = tiny()
    config = json.loads(json.dumps(model.get_config()))
    for again in (keras.models.clone_model(model), keras.Model.from_config(config)):
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again(IMAGES), model(IMAGES))
        assert [v.path for v in again.weights] == [v.path for v in model.weights]


# Two networks in one model.


def test_networks_on_one_input_join_and_keep_slims_names_for_their_loaders(tmp_path):
    image = keras.Input((32, 32, 3))
    parts = [
        nk.build_network(
            nk.NetworkConfig("nasnet_a", num_cells=3, filters=2, stem_filters=4),
            4,
            input_tensor=image,
            name_prefix=prefix,
        )
        for prefix in ("first_", "reduction_")
    ]
    plain = tiny()
    plain.save_weights(tmp_path / "plain.weights.h5")
    plain.save(tmp_path / "plain.keras")
    for part, name in zip(parts, ("plain.weights.h5", "plain.keras"), strict=True):
        report = load_pretrained(part, "tiny", tmp_path / name)
        assert report.assigned[0] == "l1_stem_3x3/kernel"
        assert set(nk.endpoints(part)) == set(nk.endpoints(plain))
    joined = keras.Model(image, keras.layers.Average()([part.output for part in parts]))
    np.testing.assert_allclose(joined(IMAGES), plain(IMAGES), rtol=1e-5)
    # And back, in every format.
    for name in ("part.weights.h5", "part.keras", "part.h5"):
        save = parts[1].save_weights if "weights" in name else parts[1].save
        save(tmp_path / name)
        other = tiny()
        load_pretrained(other, "tiny", tmp_path / name)
        np.testing.assert_array_equal(other(IMAGES), plain(IMAGES))
    joined.save(tmp_path / "joined.keras")
    again = keras.saving.load_model(tmp_path / "joined.keras")
    np.testing.assert_array_equal(again(IMAGES), joined(IMAGES))


def test_networks_of_other_names_on_one_tensor_have_layers_of_other_names():
    image = keras.Input((32, 32, 3))
    options = {"weights": None, "include_top": False, "pooling": "avg", "input_tensor": image}
    first, second = (nk.NASNetCIFAR(**options, name=name) for name in ("first", "second"))
    keras.Model(image, keras.layers.Concatenate()([first.output, second.output]))
    assert first.get_layer("first_cell_0").name == "first_cell_0"
    assert nk.NASNetCIFAR(**options).get_layer("cell_0").name == "cell_0"
    with pytest.raises(ValueError, match="name_prefix has no '/'"):
        nk.build_network(nk.get_preset("nasnet_cifar").config, name_prefix="a/")


def test_models_called_as_layers_join_too():
    image = keras.Input((32, 32, 3))
    first, second = tiny(), tiny()
    first.name, second.name = "first", "second"
    joined = keras.Model(image, keras.layers.Average()([first(image), second(image)]))
    expected = (np.asarray(first(IMAGES)) + np.asarray(second(IMAGES))) / 2
    np.testing.assert_allclose(joined(IMAGES), expected, rtol=1e-5)


def test_an_h5_file_in_the_place_of_a_keras_file_is_named_for_what_it_is(tmp_path):
    tiny().save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match=r"model.h5 is an HDF5 file, not .keras: .*weights=path"):
        nk.load_model(tmp_path / "model.h5")
