"""Two stages that share one network's weights and compute what it computes."""

from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.detection import build_backbone, split_network
from nasnet_keras.models.plan import plan_network
from nasnet_keras.weights.slim_names import network_variables
from tests.detection_network import tiny_network
from tests.layer_checks import randomize

SMALL = {"filters": 8, "stem_filters": 6, "num_cells": 6}


def image(*size: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (1, *size, 3)).astype("float32")


def array(x: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("nasnet_mobile", SMALL),
        ("nasnet_mobile", {}),
        ("nasnet_large", SMALL),
        ("pnasnet_large", SMALL),
        ("nasnet_c_mobile", SMALL),
        ("nasnet_b_mobile", SMALL),
    ],
)
def test_both_stages_on_a_whole_image_are_the_classifiers_last_cell(
    name: str, overrides: dict[str, int]
) -> None:
    config = nk.get_preset(name).config.replace(**overrides)
    model = nk.build_network(config, classes=3, input_shape=(None, None, 3))
    if overrides:
        randomize(model)
    backbone = split_network(model, config)
    last = plan_network(config).cells[-1].name.title()
    both = keras.Model(model.input, [nk.endpoints(model)[last], backbone.first_stage.output])
    x = image(75, 60)
    cell, features = both(x)
    cell = keras.ops.concatenate(cell, -1) if isinstance(cell, list) else cell
    expected = np.maximum(array(cell), 0)
    found = array(backbone.second_stage(backbone.first_stage(x)))
    assert features.shape == (1, 5, 4, backbone.channels)
    assert expected.max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.max())


# Millions of parameters of the first and of the second stage, channels of the features.
COUNTS = {
    "nasnet_mobile": (1.06, 3.21, 1056),
    "nasnet_large": (20.19, 64.73, 4032),
    "pnasnet_large": (20.01, 61.91, 4320),
}


@pytest.mark.parametrize("name", COUNTS)
def test_sizes_are_the_originals(name: str) -> None:
    backbone = build_backbone(nk.get_preset(name).config)
    first, second, channels = COUNTS[name]
    parameters = [
        sum(int(np.prod(v.shape)) for v in stage.weights)
        for stage in (backbone.first_stage, backbone.second_stage)
    ]
    assert [round(n / 1e6, 2) for n in parameters] == [first, second]
    assert sum(parameters) == backbone.network.count_params()
    for size, side in ((299, 19), (224, 14), (112, 7)):
        shape = backbone.first_stage.compute_output_shape((1, size, size, 3))
        assert shape == (1, side, side, channels)
    crops = (None, 17, 17, channels)
    assert backbone.second_stage.compute_output_shape(crops) == (None, 9, 9, channels)


def test_the_stages_hold_each_of_the_networks_weights_once_under_its_name() -> None:
    config = tiny_network()
    backbone = build_backbone(config)
    wanted = network_variables(backbone.network)
    names = [v.path for v in (*backbone.first_stage.weights, *backbone.second_stage.weights)]
    assert sorted(names) == sorted(wanted)
    assert {n.split("/")[0] for n in names if "cell_2" in n} == {"cell_2"}


def test_a_classifiers_file_loads_into_both_stages_and_no_other_does(tmp_path: Path) -> None:
    config = tiny_network()
    classifier = nk.build_network(config, classes=4)
    randomize(classifier)
    path = tmp_path / "classifier.keras"
    classifier.save(path)
    backbone = build_backbone(config)
    report = nk.load_pretrained(backbone.network, "tiny", path, include_top=False)
    assert set(report.assigned) == set(network_variables(backbone.network))
    expected = {v.path: array(v) for v in classifier.weights}
    for variable in (*backbone.first_stage.weights, *backbone.second_stage.weights):
        np.testing.assert_array_equal(array(variable), expected[variable.path])
    other = build_backbone(tiny_network(num_cells=6))
    with pytest.raises(ValueError, match="missing in it"):
        nk.load_pretrained(other.network, "tiny", path, include_top=False)


def test_drop_paths_numbers_go_on_in_the_second_stage() -> None:
    config = nk.get_preset("nasnet_large").config.replace(
        filters=8, stem_filters=6, drop_path_keep_probability=0.7, drop_path_total_steps=10
    )
    backbone = build_backbone(config)
    cells = backbone.second_stage.cells
    assert [cell.name for cell in cells][:2] == ["reduction_cell_1", "cell_12"]
    assert [cell.drop_path.cell_number for cell in cells] == list(range(15, 22))
    assert {cell.drop_path.total_cells for cell in cells} == {22}
    features, step = backbone.first_stage(image(64, 64), training=True)
    assert int(step) == 0 and features.shape == (1, 4, 4, backbone.channels)


def test_a_network_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match="has 2 before its last reduction: use stem='imagenet'"):
        build_backbone(nk.get_preset("nasnet_cifar").config)
    with pytest.raises(ValueError, match="num_cells=3 is too few"):
        build_backbone(nk.get_preset("pnasnet_mobile").config.replace(num_cells=3))
    with pytest.raises(ValueError, match="another configuration: it has no layer 'cell_3'"):
        split_network(nk.build_network(tiny_network()), tiny_network(num_cells=6))
