"""Every pass leaves the numbers as they are, and does what it is for."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.export.graph import Graph, compute, nodes
from nasnet_keras.export.graph.lowering import detector_stages, graph_of
from nasnet_keras.export.graph.passes import (
    fold_affine_backward,
    fold_affine_forward,
    fold_doubled_sums,
    keep_outputs,
    merge_equal_nodes,
    merge_pointwise_convolutions,
    optimized,
    pad_channels,
    remove_dead_nodes,
)
from tests.detection_network import tiny_config, tiny_network
from tests.export.graph.small_networks import (
    MAKERS,
    example,
    graph,
    network,
    with_every_cell,
)
from tests.layer_checks import randomize


def pad_channels_to_16(graph: Graph) -> Graph:
    return pad_channels(graph, 16)


PASSES: tuple[Callable[[Graph], Graph], ...] = (
    remove_dead_nodes,
    merge_equal_nodes,
    fold_affine_backward,
    fold_affine_forward,
    fold_doubled_sums,
    pad_channels_to_16,
    merge_pointwise_convolutions,
)


def check_passes(graph: Graph, inputs: dict[str, np.ndarray]) -> None:
    """Applies the passes one after the other, and each but the padding to what they end with."""
    expected = compute(graph, inputs)
    for change in (*PASSES, *PASSES[:5]):
        changed = change(graph)
        if [node.name for node in changed.nodes] != [node.name for node in graph.nodes] or (
            change is pad_channels_to_16
        ):
            check_equal(compute(changed, inputs), expected, change.__name__)
        graph = changed


def check_equal(found: dict[str, Any], expected: dict[str, Any], name: str = "") -> None:
    assert found.keys() == expected.keys(), name
    for output, values in expected.items():
        scale = max(np.abs(values).max(), 1.0)
        np.testing.assert_allclose(found[output] / scale, values / scale, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", MAKERS)
def test_no_pass_changes_what_a_network_computes(name: str) -> None:
    model = network(name)
    images = zip(model.inputs, example(model, seed=1), strict=True)
    check_passes(graph(name), {x.name: image for x, image in images})


def test_no_pass_changes_what_a_detector_computes() -> None:
    # NASNet-B's second stage reads four states of each of two cells.
    network = tiny_network().replace(genotype="nasnet_b", num_cells=6, reduction="strided_normal")
    detector = FasterRCNN(tiny_config().replace(network=network))
    randomize(detector)
    first, second = detector_stages(detector)
    generator = np.random.default_rng(0)
    check_passes(first, {"images": generator.uniform(0, 255, (1, 50, 70, 3))})
    crops = generator.normal(size=(3, 4, 4, detector.backbone.channels))
    check_passes(second, {"crops": crops})


def test_nodes_of_nasnet_a_mobile() -> None:
    whole = graph = graph_of(with_every_cell())
    counts = [len(graph.nodes)]
    kinds = []
    for change in PASSES:
        if change is not pad_channels_to_16:
            graph = change(graph)
            counts.append(len(graph.nodes))
            kinds.append(Counter(type(node) for node in graph.nodes))
    # 60 ReLUs and 16 pools are of an image that has one already; 192 BNs; 12 cells have a sum of
    # two equal average pools; 11 pairs of convolutions become one each, and its two parts.
    assert counts == [900, 900, 824, 632, 632, 620, 631]
    assert kinds[0][nodes.Relu] - kinds[1][nodes.Relu] == 60
    assert kinds[4][nodes.Convolution] - kinds[5][nodes.Convolution] == 11
    assert kinds[5][nodes.Channels] == 22
    assert nodes.Affine not in kinds[-1]
    assert [x.name for x in optimized(whole).nodes] == [x.name for x in graph.nodes]


def test_the_auxiliary_head_goes_with_its_output() -> None:
    both = graph("nasnet_a_with_auxiliary_head")
    assert any(node.name.startswith("aux_") for node in both.nodes)
    kept = keep_outputs(both, ["logits"])
    assert not any(node.name.startswith("aux_") for node in kept.nodes)
    assert list(kept.outputs) == ["logits"]
    with pytest.raises(ValueError, match="unknown output 'logit'.*'logits'"):
        keep_outputs(both, ["logit"])


def test_preprocessing_goes_into_a_stem_that_does_not_pad() -> None:
    assert isinstance(graph("nasnet_a_rescaled").nodes[1], nodes.Affine)
    assert not affines(optimized(graph("nasnet_a_rescaled")))
    x = nodes.Input(name="x", shape=(5, 5, 3))
    scale = nodes.Affine(name="scale", inputs=("x",), scale=np.full(3, 2.0))
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 4))
    conv = nodes.Convolution(name="conv", inputs=("scale",), kernel=kernel)
    assert not affines(fold_affine_forward(Graph((x, scale, conv), {"y": "conv"})))
    offset = nodes.Affine(name="scale", inputs=("x",), scale=np.full(3, 2.0), offset=np.ones(3))
    assert affines(fold_affine_forward(Graph((x, offset, conv), {"y": "conv"})))


def test_no_normalization_is_left_of_the_published_networks() -> None:
    for name in ("nasnet_a", "nasnet_b", "nasnet_c", "pnasnet", "amoebanet_a", "amoebanet_b"):
        assert not affines(optimized(graph(name))), name


def affines(graph: Graph) -> list[nodes.Affine]:
    return [node for node in graph.nodes if isinstance(node, nodes.Affine)]


def doubling(*more: nodes.Node, **outputs: str) -> Graph:
    x = nodes.Input(name="x", shape=(5, 5, 3))
    pool = nodes.AveragePool(name="pool", inputs=("x",), window=(3, 3))
    doubled = nodes.Add(name="doubled", inputs=("pool", "pool"))
    return Graph((x, pool, doubled, *more), outputs)


KERNEL = np.random.default_rng(3).normal(size=(1, 1, 3, 4))
AFTER = nodes.Convolution(name="conv", inputs=("doubled",), kernel=KERNEL)


@pytest.mark.parametrize(
    ("before", "folds"),
    [
        (doubling(AFTER, y="conv"), True),
        (doubling(AFTER, y="conv", doubled="doubled"), False),
        (doubling(AFTER, nodes.Add(name="sum", inputs=("doubled", "x")), y="sum"), False),
        (doubling(nodes.Relu(name="relu", inputs=("doubled",)), y="relu"), False),
        (
            doubling(
                nodes.Relu(name="relu", inputs=("doubled",), maximum=6.0),
                nodes.Convolution(name="conv", inputs=("relu",), kernel=KERNEL),
                y="conv",
            ),
            False,
        ),
        (
            doubling(
                nodes.Relu(name="relu", inputs=("doubled",)),
                nodes.Concatenate(name="both", inputs=("x", "relu")),
                nodes.Channels(name="part", inputs=("both",), start=2, stop=5),
                nodes.Convolution(name="conv", inputs=("part",), kernel=KERNEL),
                y="conv",
            ),
            True,
        ),
        (
            doubling(
                nodes.Add(name="again", inputs=("doubled", "doubled")),
                nodes.Convolution(name="conv", inputs=("again",), kernel=KERNEL),
                y="conv",
            ),
            True,
        ),
    ],
)
def test_a_doubled_image_is_left_to_weights_that_all_can_take_it(
    before: Graph, folds: bool
) -> None:
    after = fold_doubled_sums(before)
    sums = [x for x in after.nodes if isinstance(x, nodes.Add) and x.inputs[0] == x.inputs[1]]
    assert bool(sums) != folds
    x = {"x": np.random.default_rng(0).normal(size=(1, 5, 5, 3))}
    check_equal(compute(after, x), compute(before, x))


def test_a_scale_that_something_else_reads_unscaled_stays() -> None:
    x = nodes.Input(name="x", shape=(5, 5, 3))
    conv = nodes.Convolution(name="conv", inputs=("x",), kernel=KERNEL)
    scale = nodes.Affine(name="scale", inputs=("conv",), scale=np.full(4, 2.0))
    outputs = {"y": "scale", "z": "conv"}
    assert affines(fold_affine_backward(Graph((x, conv, scale), outputs)))
    assert not affines(fold_affine_backward(Graph((x, conv, scale), {"y": "scale"})))


def test_all_convolutions_have_padded_channels() -> None:
    padded = optimized(graph("nasnet_a"), channel_multiple=16)
    paths = []
    for node in padded.nodes:
        if isinstance(node, nodes.Convolution) and "/path" in node.name:
            paths.append(node.kernel.shape[-1])
        elif isinstance(node, nodes.Convolution | nodes.Depthwise):
            assert node.kernel.shape[-1] % 16 == 0, node.name
    # Both paths of a reduction together.
    assert paths
    assert all(sum(both) % 16 == 0 for both in zip(paths[::2], paths[1::2], strict=True))


def test_images_of_different_padding_are_added_without_it() -> None:
    x = nodes.Input(name="x", shape=(2, 2, 3))
    generator = np.random.default_rng(0)

    def conv(name: str, filters: int) -> nodes.Convolution:
        kernel = generator.normal(size=(1, 1, 3, filters))
        return nodes.Convolution(name=name, inputs=("x",), kernel=kernel, bias=np.ones(filters))

    relus = (
        nodes.Relu(name="relu_a", inputs=("a",)),
        nodes.Relu(name="relu_b", inputs=("b",)),
        nodes.Concatenate(name="both", inputs=("relu_a", "relu_b")),
        nodes.Add(name="sum", inputs=("both", "c")),
    )
    before = Graph((x, conv("a", 2), conv("b", 3), conv("c", 5), *relus), {"y": "sum"})
    images = {"x": generator.normal(size=(1, 2, 2, 3))}
    check_equal(compute(pad_channels(before, 4), images), compute(before, images))
