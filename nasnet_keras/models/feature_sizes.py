"""How large the feature maps of a network are, and which inputs are too small for it."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import keras

from nasnet_keras.layers.auxiliary_head import POOL_SIZE, pooled_size
from nasnet_keras.layers.network_layer import half
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.layerwise_plan import size_problem
from nasnet_keras.models.plan import plan_network
from nasnet_keras.settings import MOST_SIDE, check_most


def feature_sizes(config: NetworkConfig, size: int) -> list[int]:
    """Returns the side of the stem convolution's output and of each cell's, in pixels.

    Args:
        config: The network.
        size: Height or width of the input, in pixels.

    Returns:
        One number for the stem's convolution and one for each planned cell.
    """
    sides = [(size - 3) // 2 + 1 if config.stem == "imagenet" else size]
    for cell in plan_network(config).cells:
        sides.append(half(sides[cell.current], cell.strides) or 0)
    return sides


def _problem(config: NetworkConfig | LayerwiseConfig, size: int, auxiliary_head: bool) -> str:
    """Says why an input of this size is too small; an empty string if it is not."""
    if isinstance(config, LayerwiseConfig):
        return size_problem(config.genotype, (size, size))
    sides = feature_sizes(config, size)
    for cell in plan_network(config).cells:
        if cell.strides == 2 and sides[cell.current] < 2:
            left = max(sides[cell.current], 0)
            return f"{cell.name} has {left} of the 2 pixels a side that it takes to halve"
        if auxiliary_head and cell.auxiliary and pooled_size(sides[cell.number + 1]) < 1:
            side = sides[cell.number + 1]
            return f"the auxiliary head needs {POOL_SIZE} pixels after {cell.name}, has {side}"
    return ""


def smallest_input(config: NetworkConfig | LayerwiseConfig, auxiliary_head: bool = False) -> int:
    """Returns the smallest height or width, in pixels, that a network can take.

    Above `MOST_SIDE` where none is large enough.
    """
    sizes = range(1, MOST_SIDE + 1)
    return 1 + bisect.bisect_left(
        sizes, True, key=lambda size: not _problem(config, size, auxiliary_head)
    )


def check_input_size(
    config: NetworkConfig | LayerwiseConfig,
    input_shape: Sequence[int | None],
    auxiliary_head: bool = False,
) -> None:
    """Refuses an input that the reductions, strides or the auxiliary head cannot take.

    Args:
        config: The network.
        input_shape: `(height, width, channels)` or channels first, as Keras is set.
        auxiliary_head: Whether the auxiliary head is built.

    Raises:
        ValueError: It is too small or above `MOST_SIDE`, or unknown where the auxiliary head needs
            to know.
    """
    channels_last = keras.config.image_data_format() == "channels_last"
    sides = tuple(input_shape[:2] if channels_last else input_shape[1:])
    if auxiliary_head and None in sides:
        raise ValueError(
            f"auxiliary_head=True needs a fixed input size, got {sides}: its last convolution "
            "covers the whole feature map"
        )
    for side in sides:
        if side is not None:
            check_most("the input's side", side, MOST_SIDE)
            problem = _problem(config, side, auxiliary_head)
            if problem:
                least = smallest_input(config, auxiliary_head)
                enough = f"the least is {least}x{least}" if least <= MOST_SIDE else "none is enough"
                raise ValueError(
                    f"input of {sides[0]}x{sides[1]} pixels is too small: {problem}; {enough}"
                )
