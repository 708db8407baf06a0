"""What is far larger than any published network is refused at once, with the limit."""

import pytest

import nasnet_keras as nk
from nasnet_keras.classification import get_recipe
from nasnet_keras.search import get_space
from tests.networks_of_cells import cell_networks


def many_blocks(count):
    data = nk.get_genotype("nasnet_a").to_dict()
    data["normal"]["blocks"] = data["normal"]["blocks"][:1] * count
    data["normal"] |= {"num_blocks": count, "concat": ["block_0"]}
    return nk.Genotype.from_dict(data)


def network(**overrides):
    return lambda: nk.create_model("nasnet_cifar", **overrides)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: many_blocks(5_000), "normal cell: a cell has at most 100 blocks, got 5,000"),
        (network(num_cells=1_000), "num_cells is at most 200, got 1000"),
        (
            network(genotype=many_blocks(100), num_cells=30),
            "a network has at most 2,000 blocks, got 3,000 in num_cells=30",
        ),
        (network(filters=10**5), "filters is at most 8,192, got 100000"),
        (network(filters=8_192), "at most 2,147,483,648 parameters, got 196,792,171,466"),
        (network(classes=10**9), "at most 2,147,483,648 parameters, got 769,003,376,096"),
        (network(input_shape=(32, 10**6, 3)), "the input's side is at most 16,384, got 1000000"),
        (
            lambda: get_recipe("digits").override(train_image_size=10**5),
            "train_image_size is at most 16,384, got 100000",
        ),
        (
            lambda: nk.FasterRCNN(
                {
                    "network": nk.get_preset("nasnet_mobile").config.to_dict(),
                    "image_size": [64, 10**6],
                }
            ),
            r"image_size is at most 16,384, got \(64, 1000000\)",
        ),
        (lambda: get_space("nasnet", num_blocks=10**6), "num_blocks is at most 100, got 1000000"),
        (lambda: get_space("layerwise", num_layers=10**6), "num_layers is at most 100, got 10"),
    ],
)
def test_what_no_machine_builds_is_refused_with_its_limit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", cell_networks())
def test_published_networks_are_far_below_every_limit(name):
    config = nk.get_preset(name).config
    blocks = len(config.genotype.normal.blocks)
    assert blocks * 10 <= 100 and config.num_cells * blocks * 10 <= 2_000
    assert config.num_cells * 5 <= 200 and config.filters * 10 <= 8_192
    assert nk.count_parameters(name) * 10 <= 2**31
