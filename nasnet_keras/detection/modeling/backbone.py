"""A classification network divided in two, for a detector's first and second stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras

from nasnet_keras.detection.modeling.cell_stack import CellStack
from nasnet_keras.models.builder import build_network
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.plan import PlannedCell, plan_network

STRIDE = 16
"""Image pixels for one pixel of the first stage's features."""


@dataclass(frozen=True)
class Split:
    """Where a network is divided: before the last cell that halves the resolution.

    Attributes:
        first: The cells of the first stage.
        second: The cells of the second stage.
        reads: The outputs that the second stage reads, as `PlannedCell.current` counts them:
            h_{i-1} and h_i.
        stride: Image pixels for one pixel of those.
    """

    first: tuple[PlannedCell, ...]
    second: tuple[PlannedCell, ...]
    reads: tuple[int, ...]
    stride: int


def plan_split(config: NetworkConfig) -> Split:
    """Finds where a network is divided.

    Args:
        config: The network.

    Returns:
        Its two parts; drop path's cell indices go on from the first to the second.

    Raises:
        ValueError: The features would not have stride 16, or those that the second stage reads are
            not of one resolution.
    """
    cells = plan_network(config).cells
    boundary = max(cell.number for cell in cells if cell.strides == 2)
    strides = [2 if config.stem == "imagenet" else 1]
    for cell in cells:
        strides.append(strides[cell.current] * cell.strides)
    sources = [x for c in cells[boundary:] for x in (c.current, c.previous) if x is not None]
    reads = tuple(sorted({source for source in sources if source <= boundary}))
    stride = strides[boundary]
    if stride != STRIDE:
        raise ValueError(
            f"a detector's features have stride {STRIDE}; network {config.genotype.name!r} with "
            f"stem={config.stem!r} has {stride} before its last reduction: use stem='imagenet'"
        )
    if {strides[k] for k in reads} != {stride}:
        raise ValueError(
            f"num_cells={config.num_cells} is too few to divide network "
            f"{config.genotype.name!r}: {cells[boundary].name} reads features of two resolutions; "
            "the least is 6"
        )
    return Split(cells[:boundary], cells[boundary:], reads, stride)


@dataclass(frozen=True, eq=False)
class Backbone:
    """The two stages of a network, which share its layers and one set of weights.

    Attributes:
        network: The whole network. What loads into a classifier loads into it, and so into both
            stages: `load_pretrained(backbone.network, name, path, include_top=False)`.
        first_stage: From images `(batch, height, width, 3)` in [-1, 1] to features `(batch,
            ceil(height / 16), ceil(width / 16), channels)`, about: h_{i-1} and h_i concatenated.
            With drop path, to `[features, step]`.
        second_stage: From such features, or ROIs of them, to the last cell's output after a ReLU.
        channels: Channels of the features.
        stride: Image pixels for one pixel of the features.
    """

    network: keras.Model
    first_stage: keras.Model
    second_stage: CellStack
    channels: int
    stride: int


def build_backbone(config: NetworkConfig, name: str | None = None) -> Backbone:
    """Builds a network without its classifier, for images of any size, and divides it.

    Args:
        config: The network.
        name: Name of the network. Default: the genotype's.

    Returns:
        Its two stages.

    Raises:
        ValueError: It cannot be divided, see `plan_split`.
    """
    plan_split(config)
    return split_network(build_network(config, include_top=False, name=name), config)


def split_network(network: keras.Model, config: NetworkConfig) -> Backbone:
    """Divides a network that is there already, with or without its classifier.

    Source: the TF Object Detection API's `faster_rcnn_nas_feature_extractor`.

    Args:
        network: A network of this package, channels last.
        config: What it was built from.

    Returns:
        Its two stages, which share its layers.

    Raises:
        ValueError: It cannot be divided, see `plan_split`; or it was built from another
            configuration, or channels first.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "a detector needs Keras's image data format 'channels_last', got 'channels_first'"
        )
    split = plan_split(config)
    layers = {layer.name: layer for layer in network.layers}
    stem = "conv0_bn" if config.stem == "imagenet" else "l1_stem_bn"
    names = [stem, *(cell.name for cell in (*split.first, *split.second))]
    missing = [name for name in names if name not in layers]
    if missing:
        raise ValueError(
            f"network {network.name!r} was built from another configuration: it has no layer "
            f"{missing[0]!r}"
        )
    outputs: list[Any] = []
    widths: dict[int, list[int]] = {}
    for index in split.reads:
        output = layers[names[index]].output
        states = output if isinstance(output, list) else [output]
        outputs += states
        widths[index] = [state.shape[-1] for state in states]
    features = outputs[0]
    if len(outputs) > 1:
        features = keras.layers.Concatenate(-1, name="first_stage_features")(outputs)
    step = None
    if config.drop_path_keep_probability < 1:
        step = layers["drop_path_schedule"].output
    first_stage = keras.Model(
        network.input,
        features if step is None else [features, step],
        name=f"{network.name}_first_stage",
    )
    cells = [layers[cell.name] for cell in split.second]
    second_stage = CellStack(
        cells,
        [(cell.current, cell.previous) for cell in split.second],
        len(split.first) + 1,
        widths,
        config.bounded_activation,
        name=f"{network.name}_second_stage",
    )
    channels = sum(math.fsum(width) for width in widths.values())
    return Backbone(network, first_stage, second_stage, int(channels), split.stride)
