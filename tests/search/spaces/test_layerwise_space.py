"""The space of layers, strides and skip connections."""

import dataclasses
import itertools

import numpy as np
import pytest

from nasnet_keras.genotypes import MaxPoolLayer
from nasnet_keras.search import LayerwiseSpace, Result, get_space, get_strategy


def test_layers_in_another_order_are_one_network() -> None:
    space = LayerwiseSpace(4)
    network = space.decode([0, 0, 0, 1, 1, 1, 0, 2, 2, 2, 1, 0, 3, 3, 3, 0, 1, 1])
    a, b, c, d = network.layers
    assert [layer.inputs for layer in network.layers] == [(), (), (0,), (1, 2)]
    assert network.outputs == (3,)
    move = dataclasses.replace
    other = move(network, layers=(b, a, move(c, inputs=(1,)), move(d, inputs=(0, 2))))
    third = move(network, layers=(a, move(c, inputs=(0,)), b, move(d, inputs=(1, 2))))
    different = move(network, layers=(a, b, c, move(d, inputs=(0, 2))))
    keys = [space.key(space.encode(n)) for n in (network, other, third, different)]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_layerwise_choices_are_the_papers() -> None:
    space = LayerwiseSpace(3, strides=True)
    assert [d.choices for d in space.decisions[:5]] == [
        (1, 3, 5, 7), (1, 3, 5, 7), (1, 2, 3), (1, 2, 3), (24, 36, 48, 64)
    ]  # fmt: skip
    assert [d.anchor for d in space.decisions if d.kind == "skip"] == [4, 4, 10]
    assert len(LayerwiseSpace(15).decisions) == 15 * 3 + 105


def test_networks_grow_as_in_the_paper() -> None:
    space = LayerwiseSpace(max_layers=20)
    depths = {
        number: len(space.decode([0] * space.num_decisions(number)).layers)
        for number in (0, 1599, 1600, 3200, 11_199, 11_200, 50_000)
    }
    assert list(depths.values()) == [6, 6, 8, 10, 18, 20, 20]
    # The layers there were are decided as before.
    assert space.decisions[:33] == LayerwiseSpace(6).decisions
    small = LayerwiseSpace(2, max_layers=4)
    assert len(small.decode([0] * 7).layers) == 2 and len(small.decode([0] * 12).layers) == 3
    for length in (6, 8, 19):
        with pytest.raises(ValueError, match="decisions of 2 to 4 whole layers, got"):
            small.decode([0] * length)


def test_a_space_without_growth_is_stored_as_before() -> None:
    assert LayerwiseSpace(6).config() == {"space": "layerwise", "num_layers": 6, "strides": False}
    options = {"num_layers": 3, "max_layers": 5, "grow_every": 7, "filters": [6, 12]}
    space = get_space("layerwise", **options, pool_layers=[2])
    values = space.config()
    assert get_space(values.pop("space"), **values).config() == space.config()


def test_pools_are_at_their_depths_and_decide_what_they_read() -> None:
    space = LayerwiseSpace(3, filters=(6, 12), pool_layers=(1,))
    assert [d.name for d in space.decisions[3:6]] == [
        "layer_1/reads_layer_0", "layer_2/filter_height", "layer_2/filter_width"
    ]  # fmt: skip
    network = space.decode([1, 2, 1, 1, 0, 0, 0, 0, 1])
    first, pool, last = network.layers
    assert pool == MaxPoolLayer(2, (0,)) and last.inputs == (1,)
    assert (first.window, first.filters) == ((3, 5), 12)
    assert space.encode(network) == (1, 2, 1, 1, 0, 0, 0, 0, 1)
    moved = dataclasses.replace(network, layers=(first, dataclasses.replace(last, inputs=()), pool))
    with pytest.raises(ValueError, match="layer 1 is a max_pool of size 2 in this space, got"):
        space.encode(moved)
    larger = dataclasses.replace(network, layers=(first, MaxPoolLayer(3, (0,)), last))
    with pytest.raises(ValueError, match="layer 1 is a max_pool of size 2 in this space"):
        space.encode(larger)


def test_a_small_space_can_be_listed_whole() -> None:
    """Two layers of four windows and four numbers of filters: 16 ways each, read or not."""
    options = {"num_layers": 2, "filter_sizes": [1, 3], "filters": [3, 6, 12, 24]}
    space = get_space("layerwise", **options)
    assert space.config() == {"space": "layerwise", "strides": False, **options}
    assert space.count() == 512
    everything = itertools.product(*(range(len(d.choices)) for d in space.decisions))
    # Two layers that do not read each other have no order.
    assert len({space.key(architecture) for architecture in everything}) == 256 + 16 * 17 // 2
    first, second = space.decode((1, 0, 3, 0, 1, 0, 1)).layers
    assert (first.window, first.filters, second.window) == ((3, 1), 24, (1, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_layers": 5}, "max_layers=5 is below num_layers=6"),
        ({"grow_every": 0}, "grow_every is a whole number of at least 1, got 0"),
        ({"filters": 5}, "filters is whole numbers of at least 1, got 5"),
        ({"filters": [24, 0]}, "filters is whole numbers of at least 1"),
        ({"filter_sizes": [3, -1]}, "filter_sizes is whole numbers of at least 1"),
        ({"filter_sizes": []}, "decision 'layer_0/filter_height' has no choices"),
        ({"pool_layers": [6]}, "pool_layers has 6, but the last layer is 5"),
        ({"pool_layers": [0]}, "pool_layers is whole numbers of at least 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_space("layerwise", **options)


@pytest.mark.parametrize("name", ["random", "evolution", "reinforce", "ppo"])
def test_every_strategy_grows_and_resumes_in_the_middle_of_a_growth(name: str) -> None:
    options = {"evolution": {"population_size": 4, "sample_size": 2}}.get(name, {})
    if name in ("reinforce", "ppo"):
        options = {"batch_size": 5, "units": (4,), "embedding_size": 4}

    def fresh():
        space = LayerwiseSpace(1, max_layers=3, layers_added=1, grow_every=7)
        return space, get_strategy(name, space, seed=1, **options)

    def rewarded(proposal) -> Result:
        return Result(proposal.number, float(np.sum(proposal.architecture)) / 30)

    space, strategy = fresh()
    proposals, state = [], None
    for number in range(16):
        proposals += strategy.ask(1)
        if number == 8:
            state = strategy.state_dict()
        strategy.tell([rewarded(proposals[-1])])
    assert [len(space.decode(p.architecture).layers) for p in proposals] == [1] * 7 + [2] * 7 + [
        3
    ] * 2
    _, again = fresh()
    assert state is not None
    again.load_state_dict(state)
    again.tell([rewarded(proposals[8])])
    for expected in proposals[9:]:
        (found,) = again.ask(1)
        assert found == expected
        again.tell([rewarded(found)])
