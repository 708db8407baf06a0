"""The space of layers, strides and skip connections."""

import dataclasses

from nasnet_keras.search import (
    LayerwiseSpace,
)


def test_layers_in_another_order_are_one_network() -> None:
    space = LayerwiseSpace(4)
    network = space.decode([0, 0, 0, 1, 1, 1, 0, 2, 2, 2, 1, 0, 3, 3, 3, 0, 1, 1])
    a, b, c, d = network.layers
    assert [layer.inputs for layer in network.layers] == [(), (), (0,), (1, 2)]
    assert network.outputs == (3,)
    move = dataclasses.replace
    other = type(network)((b, a, move(c, inputs=(1,)), move(d, inputs=(0, 2))))
    third = type(network)((a, move(c, inputs=(0,)), b, move(d, inputs=(1, 2))))
    different = type(network)((a, b, c, move(d, inputs=(0, 2))))
    keys = [space.key(space.encode(n)) for n in (network, other, third, different)]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_layerwise_choices_are_the_papers() -> None:
    space = LayerwiseSpace(3, strides=True)
    assert [d.choices for d in space.decisions[:5]] == [
        (1, 3, 5, 7), (1, 3, 5, 7), (1, 2, 3), (1, 2, 3), (24, 36, 48, 64)
    ]  # fmt: skip
    assert [d.anchor for d in space.decisions if d.kind == "skip"] == [4, 4, 10]
    assert len(LayerwiseSpace(15).decisions) == 15 * 3 + 105
