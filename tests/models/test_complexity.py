"""Closed forms against published counts, built models and TensorFlow's graphs."""

from __future__ import annotations

import math

import keras
import pytest

from nasnet_keras.genotypes import (
    COMBINERS,
    NASNET_A,
    OPERATIONS,
    Block,
    Branch,
    CellGenotype,
    Genotype,
)
from nasnet_keras.models import NetworkConfig, build_network, get_preset
from nasnet_keras.models.complexity import count_multiply_adds, count_parameters
from nasnet_keras.models.feature_sizes import smallest_input
from tests.networks_of_cells import CELL_GENOTYPES

# Trainable and total parameters, multiply-adds; to the unit, or to the digits that are known.
# ImageNet networks with 1000 classes.
COUNTS = {
    "nas_v1": ("4,201,630", "4,202,902", "4.301B"),
    "nasnet_cifar": ("3,346,538", "3,383,786", "544M"),
    "nasnet_cifar_7_2304": ("32.591M", None, None),
    "nasnet_mobile": ("5,289,978", "5,326,716", "563.6M"),
    "nasnet_large": ("88,753,150", "88,949,818", "23.783B"),
    "nasnet_5_1538": ("10.899M", "10.957M", "2.352B"),
    "nasnet_7_1920": ("22.532M", "22.631M", "4.929B"),
    "nasnet_b_cifar": ("2.795M", None, None),
    "nasnet_b_mobile": ("4.968M", None, "489M"),
    "nasnet_c_cifar": ("3.173M", "3.21M", None),
    "nasnet_c_mobile": ("4.96M", None, "596M"),
    "pnasnet_cifar": ("3.189M", "3.218M", "575M"),
    "pnasnet_mobile": ("5.064M", "5.098M", "587.3M"),
    "pnasnet_large": ("86.058M", "86.235M", "24.94B"),
    # The papers' own figures.
    "amoebanet_a_mobile": ("5.1M", None, "555M"),
    "amoebanet_b_mobile": ("5.3M", None, "555M"),
    "amoebanet_c_mobile": ("6.4M", None, None),
    "amoebanet_a_large": (None, None, "23.1B"),
    "amoebanet_c_large": (None, None, "41.1B"),
}


def as_printed(value: int, like: str) -> str:
    """Prints a count with the unit and the digits of `like`."""
    if like[-1] not in "MB":
        return f"{value:,}"
    digits = len(like[:-1].partition(".")[2])
    return f"{value / (1e6 if like[-1] == 'M' else 1e9):.{digits}f}{like[-1]}"


@pytest.mark.parametrize("name", COUNTS)
def test_published_networks_have_the_known_counts(name: str) -> None:
    trainable, total, multiply_adds = COUNTS[name]
    classes = 1000 if get_preset(name).is_imagenet else 10
    if trainable:
        counted = count_parameters(name, classes, trainable_only=True)
        assert as_printed(counted, trainable) == trainable
    if total:
        assert as_printed(count_parameters(name, classes), total) == total
    if multiply_adds:
        counted = count_multiply_adds(name, classes=classes)
        assert as_printed(counted, multiply_adds) == multiply_adds


def graph_multiply_adds(model: keras.Model, input_shape: tuple[int, ...]) -> int:
    """Counts the multiply-adds of every convolution and product in the traced graph."""
    import tensorflow as tf

    function = tf.function(lambda image: model(image, training=False))
    graph = function.get_concrete_function(tf.TensorSpec((1, *input_shape))).graph
    total = 0
    for operation in graph.get_operations():
        # A product hidden in a function of its own would go uncounted.
        assert "PartitionedCall" not in operation.type
        if operation.type in ("Conv2D", "DepthwiseConv2dNative", "MatMul"):
            kernel = operation.inputs[1].shape
            # What one output value sums over: a whole filter, a depthwise window, a row.
            summed = kernel[:2] if operation.type == "DepthwiseConv2dNative" else kernel[:-1]
            total += math.prod(operation.outputs[0].shape) * math.prod(summed)
    return total


def check_against_built(
    config: NetworkConfig, input_shape: tuple[int, ...], auxiliary_head: bool = True
) -> None:
    model = build_network(config, 5, input_shape, auxiliary_head=auxiliary_head)
    arguments = {"classes": 5, "auxiliary_head": auxiliary_head, "input_shape": input_shape}
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert count_parameters(config, trainable_only=True, **arguments) == trainable
    assert count_parameters(config, **arguments) == model.count_params()
    if keras.backend.backend() == "tensorflow":
        expected = graph_multiply_adds(model, input_shape)
        assert count_multiply_adds(config, **arguments) == expected


# TensorFlow pads the input of a dilated depthwise convolution to even sides and computes values
# that belong to no pixel, so the sides are even wherever AmoebaNet-B or a test of ours has one.
ODD_SIZES = {"cifar": (21, 18, 3), "imagenet": (101, 85, 3)}
EVEN_SIZES = {"cifar": (24, 16, 3), "imagenet": (129, 193, 3)}


LAYOUTS = [
    (genotype, reduction, stem)
    for genotype in CELL_GENOTYPES
    for reduction in ("cell", "replace", "strided_normal")
    for stem in ("cifar", "imagenet")
    # PNASNet-5 has no reduction cell.
    if genotype != "pnasnet_5" or reduction == "strided_normal"
]


@pytest.mark.parametrize(("genotype", "reduction", "stem"), LAYOUTS)
def test_every_layout_counts_as_built(genotype: str, reduction: str, stem: str) -> None:
    config = NetworkConfig(genotype, 3, 8, stem, 7, reduction)
    sizes = EVEN_SIZES if genotype == "amoebanet_b" else ODD_SIZES
    check_against_built(config, sizes[stem])


def every_operation(combine_from: int) -> CellGenotype:
    """Returns a cell with all operations, on cell inputs and on blocks, and all combiners."""
    names = list(OPERATIONS)
    blocks = []
    for number, name in enumerate(names):
        # A later block reads the one before, which is 2F wide after a concatenation.
        source = number % 2 if number < 2 or number % 3 else number + 1
        combine = COMBINERS[(number + combine_from) % len(COMBINERS)]
        blocks.append(Block(Branch(name, number % 2), Branch(name, source), combine))
    return CellGenotype(tuple(blocks), ("current", "previous", 2, len(blocks), len(blocks) + 1))


@pytest.mark.parametrize(
    ("combine_from", "bottleneck"), [(0, False), (1, True), (2, False), (3, True)]
)
def test_every_operation_counts_as_built(combine_from: int, bottleneck: bool) -> None:
    cell = every_operation(combine_from)
    config = NetworkConfig(
        Genotype("every", cell, cell), 2, 6, stem_filters=5, bottleneck=bottleneck
    )
    check_against_built(config, (24, 16, 3))


@pytest.mark.parametrize(
    ("num_cells", "filters", "stem", "skip"),
    [(2, 3, "cifar", False), (4, 9, "imagenet", True), (5, 5, "cifar", True)],
)
def test_odd_filters_and_any_depth_count_as_built(
    num_cells: int, filters: int, stem: str, skip: bool
) -> None:
    config = NetworkConfig(NASNET_A, num_cells, filters, stem, 4, skip_reduction_layer_input=skip)
    shape = (67, 70, 1) if stem == "imagenet" else (13, 11, 4)
    check_against_built(config, shape, auxiliary_head=False)


def test_a_bottleneck_too_narrow_to_exist_counts_as_built() -> None:
    config = NetworkConfig("amoebanet_a", 3, 2, bottleneck=True)
    check_against_built(config, (17, 15, 3))


def test_without_the_classifier_only_the_classifier_is_missing() -> None:
    dense = 1056 * 1001
    whole, headless = (count_parameters("nasnet_mobile", include_top=top) for top in (True, False))
    assert whole - headless == dense + 1001
    whole, headless = (
        count_multiply_adds("nasnet_mobile", include_top=top) for top in (True, False)
    )
    assert whole - headless == dense


def test_the_preset_supplies_classes_and_size() -> None:
    assert count_parameters("nasnet_mobile") == count_parameters("nasnet_mobile", 1001)
    assert count_parameters("nasnet_cifar") == count_parameters("nasnet_cifar", 10)
    config = get_preset("nasnet_large").config
    assert count_parameters("nasnet_large") == count_parameters(config, 1001)
    assert count_multiply_adds("nasnet_large") == count_multiply_adds(config, (331, 331, 3), 1001)


def test_parameters_need_no_size_without_the_auxiliary_head() -> None:
    known, unknown = (
        count_parameters("nasnet_mobile", input_shape=shape) for shape in (None, (None, None, 3))
    )
    assert known == unknown


def test_drop_path_and_dropout_cost_nothing() -> None:
    config = NetworkConfig("nasnet_a", 3, 4)
    dropping = config.replace(
        dropout=0.5, drop_path_keep_probability=0.6, drop_path_total_steps=100
    )
    assert count_parameters(dropping) == count_parameters(config)
    model = build_network(dropping, 5, (16, 16, 3))
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert count_parameters(dropping, 5, trainable_only=True) == trainable


@pytest.mark.parametrize("auxiliary_head", [False, True])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
@pytest.mark.parametrize("reduction", ["cell", "replace", "strided_normal"])
def test_the_smallest_input_is_the_builders(
    reduction: str, stem: str, auxiliary_head: bool
) -> None:
    config = NetworkConfig("nasnet_a", 6, 8, stem, reduction=reduction)
    least = smallest_input(config, auxiliary_head)
    assert count_multiply_adds(config, (least, least, 3), auxiliary_head=auxiliary_head) > 0
    for shape in ((least - 1, least, 3), (least, least - 1, 3)):
        with pytest.raises(ValueError, match="too small"):
            count_multiply_adds(config, shape, auxiliary_head=auxiliary_head)


SMALL = NetworkConfig("nasnet_a", 3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_parameters("nasnet_mobil"), "did you mean 'nasnet_mobile'"),
        (lambda: count_parameters(NASNET_A), "a model name or a NetworkConfig"),
        (lambda: count_parameters(SMALL, classes=0), "classes is a whole number"),
        (lambda: count_parameters(SMALL, auxiliary_head=True), "depends on the size"),
        (
            lambda: count_parameters(SMALL, include_top=False, auxiliary_head=True),
            "needs include_top=True",
        ),
        (lambda: count_multiply_adds(SMALL), "depends on the size"),
        (lambda: count_multiply_adds("nasnet_mobile", (None, 224, 3)), "depends on the size"),
        (lambda: count_multiply_adds(SMALL, (32, 32)), r"\(height, width, channels\)"),
        (lambda: count_multiply_adds(SMALL, (32, 32.0, 3)), "whole numbers"),
        (lambda: count_multiply_adds(SMALL, (32, 32, None)), "channels must be known"),
    ],
)
def test_bad_arguments_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
