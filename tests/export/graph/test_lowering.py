"""The graph of every kind of network computes what Keras does."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras import layers
from nasnet_keras.data.augmentation import Augmentation
from nasnet_keras.detection import FasterRCNN
from nasnet_keras.export.graph import compute, shapes
from nasnet_keras.export.graph.lowering import detector_stages, graph_of
from nasnet_keras.export.graph.lowering.graph_of import RULES
from tests.detection_network import tiny_config
from tests.export.graph.small_networks import MAKERS, classifier, example, graph, network
from tests.layer_checks import randomize


@pytest.mark.parametrize("name", MAKERS)
def test_the_graph_computes_what_the_network_does(name: str) -> None:
    model = network(name)
    images = example(model)
    given = {x.name: image for x, image in zip(model.inputs, images, strict=True)}
    results = compute(graph(name), given)
    outputs = model(images if len(images) > 1 else images[0], training=False)
    expected = [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(outputs)]
    assert len(results) == len(expected)
    found_shapes = shapes(graph(name))
    for (output, result), of_keras in zip(results.items(), expected, strict=True):
        # A check of saturated or of dead outputs would be none.
        assert np.ptp(of_keras) > 1e-3, output
        difference = np.abs(result - of_keras).max() / max(np.abs(of_keras).max(), 1.0)
        assert difference < 1e-5, output
        shape = found_shapes[graph(name).outputs[output]]
        assert all(a in (None, b) for a, b in zip(shape, result.shape[1:], strict=True))


def test_outputs_are_named_as_the_model_names_them() -> None:
    assert list(graph("nasnet_a").outputs) == ["predictions"]
    assert list(graph("nasnet_a_without_it").outputs) == ["logits", "probabilities"]
    assert list(graph("nasnet_a_with_auxiliary_head").outputs) == ["auxiliary_logits", "logits"]
    assert list(graph("nasnet_b_states").outputs) == [
        *(f"Cell_0_{state}" for state in range(4)),
        "Logits",
    ]


def test_both_stages_of_a_detector() -> None:
    network = {"drop_path_keep_probability": 0.5, "drop_path_version": "v2"}
    detector = FasterRCNN(tiny_config(network))
    randomize(detector)
    first, second = detector_stages(detector)
    images = np.random.default_rng(0).uniform(0, 255, (2, 50, 70, 3)).astype("float32")
    found = compute(first, {"images": images})
    features, _, encodings, logits, _ = detector._first_stage(images, training=False)
    check(found, {"features": features, "encodings": encodings, "logits": logits})
    crops = np.random.default_rng(1).normal(size=(3, 4, 4, features.shape[-1])).astype("float32")
    values = keras.ops.mean(detector.backbone.second_stage(crops), (1, 2))[None]
    encodings, logits = detector.box_head(values)
    check(compute(second, {"crops": crops}), {"encodings": encodings[0], "logits": logits[0]})
    scaled, _ = detector_stages(detector, scaled=True)
    again = compute(scaled, {"images": images.astype("float64") * (2.0 / 255.0) - 1.0})
    np.testing.assert_allclose(again["features"], found["features"], atol=1e-12)


def check(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        values = keras.ops.convert_to_numpy(values)
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


def test_every_layer_of_the_package_has_a_rule() -> None:
    every = {getattr(layers, name) for name in layers.__all__}
    kinds = {kind for kind in every if isinstance(kind, type)}
    # A cell holds it, and it does nothing at inference.
    assert kinds - {layers.DropPath} <= set(RULES)


def test_mixed_precision_leaves_the_graph_exact() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = classifier("nasnet_cifar")
    finally:
        keras.config.set_dtype_policy(before)
    half.set_weights(network("nasnet_a_cifar").get_weights())
    (images,) = example(half)
    expected = compute(graph("nasnet_a_cifar"), {"image": images})
    np.testing.assert_array_equal(
        compute(graph_of(half), {"image": images})["predictions"], expected["predictions"]
    )


def test_augmentation_of_a_training_network_is_left_out() -> None:
    model = network("nasnet_a")
    image = keras.Input(model.input_shape[1:], name="image")
    training = keras.Model(image, model(Augmentation("shift", 0)(image)))
    (images,) = example(model)
    found, expected = (
        compute(graph_of(each), {"image": images})
        for each in (training, keras.Model(image, model(image)))
    )
    assert len(found) == 1
    for ours, theirs in zip(found.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_has_no_rule_is_refused() -> None:
    x = keras.Input((8, 8, 3))
    model = keras.Model(x, keras.layers.UpSampling2D(name="larger")(x))
    with pytest.raises(ValueError, match="layer 'larger' is a UpSampling2D, which .* no rule"):
        graph_of(model)
    model = keras.Model(x, keras.layers.Activation("gelu", name="soft")(x))
    with pytest.raises(
        ValueError, match=r"activation 'gelu' of 'soft' has no node; there are relu"
    ):
        graph_of(model)
    model = keras.Model(x, keras.layers.Conv2D(6, 3, groups=3, name="grouped")(x))
    with pytest.raises(ValueError, match="'grouped' convolves in groups"):
        graph_of(model)
    with pytest.raises(ValueError, match="functional Keras model, got 3"):
        graph_of(3)  # type: ignore[arg-type]


def test_channels_first_is_refused() -> None:
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        model = nk.create_model("nasnet_cifar", num_cells=2, filters=4)
        with pytest.raises(ValueError, match="'nasnet_cifar' is channels first, the inference"):
            graph_of(model)
    finally:
        keras.config.set_image_data_format(before)
