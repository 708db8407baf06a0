"""Parameters and multiply-adds of any network from closed forms, with no Keras model built."""

from __future__ import annotations

from collections.abc import Sequence

from nasnet_keras.layers.auxiliary_head import POOL_SIZE, pooled_size
from nasnet_keras.models.cell_complexity import Cost, Sides, add_cell, halved
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.layerwise_plan import layerwise_cost, size_problem
from nasnet_keras.models.plan import PlannedCell, plan_network
from nasnet_keras.models.presets import get_preset
from nasnet_keras.settings import Count, check_value

DEFAULT_CLASSES = 1001
"""Classes of a network given as a `NetworkConfig`, as in `build_network`."""

# The auxiliary head's two widths (`nasnet_keras.layers.AuxiliaryHead`).
_NARROW, _WIDE = 128, 768


def count_parameters(
    network: str | NetworkConfig | LayerwiseConfig,
    classes: int | None = None,
    include_top: bool = True,
    auxiliary_head: bool = False,
    input_shape: Sequence[int | None] | None = None,
    trainable_only: bool = False,
) -> int:
    """Counts the parameters of a network.

    The count equals that of the built model (`model.count_params()`), drop path's and dropout's
    own counters aside. The papers exclude the auxiliary head and use 1000 ImageNet classes.

    Args:
        network: A name of `list_models()`, a `NetworkConfig` or a `LayerwiseConfig`.
        classes: Number of classes. Default: the preset's, 10 for CIFAR-10 and 1001 for ImageNet
            (slim's background class included); 1001 for a `NetworkConfig`.
        include_top: Whether the classifier is counted.
        auxiliary_head: Whether the auxiliary classifier is counted. Its last convolution covers the
            whole feature map, so the count then depends on the input's size.
        input_shape: `(height, width, channels)` whatever Keras's data format; height and width may
            be `None` without the auxiliary head. Default: the preset's size, 3 channels.
        trainable_only: Leaves out BN's moving statistics.

    Returns:
        The number of parameters.

    Raises:
        ValueError: The name is unknown (the nearest is suggested), a value is out of range, or the
            auxiliary head is asked for and the input's size is unknown or too small for it.
    """
    cost = _cost(
        network, classes, include_top, auxiliary_head, input_shape, needs_size=auxiliary_head
    )
    return cost.trainable if trainable_only else cost.trainable + cost.statistics


def count_multiply_adds(
    network: str | NetworkConfig | LayerwiseConfig,
    input_shape: Sequence[int | None] | None = None,
    classes: int | None = None,
    include_top: bool = True,
    auxiliary_head: bool = False,
) -> int:
    """Counts the multiply-adds of one image's way through a network.

    Only convolutions (depthwise, pointwise, plain) and dense layers count, one for each weight and
    output position, positions in the padding included: that is the convention under which the
    papers' figures come out (NASNet-A mobile 564M, large 23.8B). Biases, normalizations, pools,
    activations, additions and concatenations are left out, as there. A dilated convolution of
    stride 2 counts at full resolution, as the layers compute it.

    Args:
        network: A name of `list_models()`, a `NetworkConfig` or a `LayerwiseConfig`.
        input_shape: `(height, width, channels)` whatever Keras's data format. Default: the preset's
            size, 3 channels; needed for a `NetworkConfig`.
        classes: As in `count_parameters`.
        include_top: Whether the classifier is counted.
        auxiliary_head: Whether the auxiliary classifier, which runs in training only, is counted.

    Returns:
        The number of multiply-adds.

    Raises:
        ValueError: The name is unknown (the nearest is suggested), a value is out of range, or the
            input's size is unknown or too small for the network.
    """
    cost = _cost(network, classes, include_top, auxiliary_head, input_shape, needs_size=True)
    return cost.multiply_adds


def _cost(
    network: str | NetworkConfig | LayerwiseConfig,
    classes: int | None,
    include_top: bool,
    auxiliary_head: bool,
    input_shape: Sequence[int | None] | None,
    *,
    needs_size: bool,
) -> Cost:
    """Adds up stem, cells and heads, or layers and classifier."""
    if isinstance(network, str):
        preset = get_preset(network)
        config: NetworkConfig | LayerwiseConfig = preset.config
        default_shape = (preset.image_size, preset.image_size, 3)
        default_classes = preset.classes
    elif isinstance(network, NetworkConfig | LayerwiseConfig):
        config, default_shape, default_classes = network, (None, None, 3), DEFAULT_CLASSES
    else:
        raise ValueError(f"network is a model name or a NetworkConfig, got {network!r}")
    classes = default_classes if classes is None else classes
    check_value("classes", Count, classes)
    if auxiliary_head and not include_top:
        raise ValueError("auxiliary_head=True needs include_top=True: it is a second classifier")
    shape = default_shape if input_shape is None else tuple(input_shape)
    image, image_channels = _check_shape(shape, needs_size)
    if isinstance(config, LayerwiseConfig):
        if auxiliary_head:
            raise ValueError("a layer-wise network has no auxiliary head")
        problem = size_problem(config.genotype, image) if needs_size else ""
        if problem:
            raise ValueError(f"input of {image[0]}x{image[1]} pixels is too small: {problem}")
        return layerwise_cost(
            config.widened, image, image_channels, classes if include_top else None
        )

    cost = Cost()
    imagenet = config.stem == "imagenet"
    # Without sides the parameters are right and the multiply-adds zero.
    stem_sides = (max(0, (image[0] - 1) // 2), max(0, (image[1] - 1) // 2)) if imagenet else image
    cost.add_convolution((3, 3), image_channels, config.stem_filters, stem_sides)
    cost.add_batch_norm(config.stem_filters)

    # The channels of every state and the sides of each output so far: the stem's, then the cells'.
    widths: list[list[int]] = [[config.stem_filters]]
    sides: list[Sides] = [stem_sides]
    for cell in plan_network(config).cells:
        before = sides[cell.current]
        if needs_size and cell.strides == 2 and min(before) < 2:
            raise ValueError(
                f"input of {image[0]}x{image[1]} pixels is too small: {cell.name} has "
                f"{min(before)} of the 2 pixels a side that it takes to halve"
            )
        widths.append(
            add_cell(
                cost,
                cell.genotype,
                cell.filters,
                cell.strides,
                config.bottleneck,
                _input_channels(cell, widths),
                before,
                cell.previous_reduction,
            )
        )
        sides.append(halved(before, cell.strides))
        if auxiliary_head and cell.auxiliary:
            _add_auxiliary_head(cost, sum(widths[-1]), classes, sides[-1], cell.name)
    if include_top:
        cost.add_dense(sum(widths[-1]), classes)
    return cost


def _check_shape(shape: Sequence[int | None], needs_size: bool) -> tuple[Sides, int]:
    """Returns height and width (zeros where they do not matter) and the channels."""
    if len(shape) != 3:
        raise ValueError(f"input_shape is (height, width, channels), got {tuple(shape)}")
    for value in shape:
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or value < 1
        ):
            raise ValueError(
                f"input_shape is (height, width, channels), whole numbers of at least 1, got "
                f"{tuple(shape)}"
            )
    height, width, channels = shape
    if channels is None:
        raise ValueError(f"the number of channels must be known, got input_shape={tuple(shape)}")
    if not needs_size:
        return (0, 0), channels
    if height is None or width is None:
        raise ValueError(
            "the count depends on the size of the image: give input_shape as (height, width, "
            f"channels) with both known, e.g. (224, 224, 3); got {tuple(shape)}"
        )
    return (height, width), channels


def _input_channels(cell: PlannedCell, widths: Sequence[Sequence[int]]) -> list[int]:
    """Returns the channels of each input of a cell."""
    current = widths[cell.current]
    if cell.genotype.num_inputs == 4:
        return list(current)
    inputs = [sum(current)]
    if cell.previous is not None:
        inputs.append(sum(widths[cell.previous]))
    return inputs


def _add_auxiliary_head(
    cost: Cost, channels: int, classes: int, sides: Sides, cell_name: str
) -> None:
    height, width = (pooled_size(side) for side in sides)
    if height < 1 or width < 1:
        raise ValueError(
            f"the input is too small: the auxiliary head needs {POOL_SIZE} pixels after "
            f"{cell_name}, has {sides[0]}x{sides[1]}"
        )
    cost.add_pointwise(channels, _NARROW, (height, width))
    cost.add_convolution((height, width), _NARROW, _WIDE, (1, 1))
    cost.add_batch_norm(_WIDE)
    cost.add_dense(_WIDE, classes)
