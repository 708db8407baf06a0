"""From an operation's name to the layer that computes it."""

from __future__ import annotations

from typing import Any

from nasnet_keras.genotypes import OPERATIONS
from nasnet_keras.layers.convolution import Convolution
from nasnet_keras.layers.factorized_conv import FactorizedConv
from nasnet_keras.layers.identity import Identity
from nasnet_keras.layers.operation import Operation
from nasnet_keras.layers.pooling import Pooling
from nasnet_keras.layers.separable_conv import SeparableConv
from nasnet_keras.text.suggestions import unknown_name


def make_operation(
    operation: str,
    filters: int,
    strides: int = 1,
    bottleneck: bool = False,
    padding: str = "slim",
    **kwargs: Any,
) -> Operation:
    """Makes the layer of an operation.

    Args:
        operation: A name of `nasnet_keras.genotypes.OPERATIONS`.
        filters: Channels of the output.
        strides: 1 or 2.
        bottleneck: AmoebaNet's bottleneck around plain and factorized convolutions.
        padding: Whose pools: `"slim"`, `"timm"` or `"keras_applications"`, see `Pooling`.
        **kwargs: See `NetworkLayer`.

    Returns:
        The layer, not yet built.

    Raises:
        ValueError: The name is unknown (the nearest is suggested), or no layer computes its kind.
    """
    if operation not in OPERATIONS:
        raise ValueError(unknown_name("operation", operation, OPERATIONS))
    spec = OPERATIONS[operation]
    match spec.kind:
        case "identity":
            return Identity(filters, strides, **kwargs)
        case "separable":
            return SeparableConv(
                filters, strides, spec.kernel, spec.repeats, spec.dilation, **kwargs
            )
        case "convolution":
            return Convolution(filters, strides, spec.kernel, bottleneck, spec.dilation, **kwargs)
        case "factorized":
            return FactorizedConv(filters, strides, spec.kernel, bottleneck, **kwargs)
        case "max_pool" | "avg_pool" | "min_pool":
            return Pooling(filters, strides, spec.kind, spec.kernel, padding, **kwargs)
        case kind:
            raise ValueError(f"operation {operation!r}: no layer computes its kind, {kind!r}")
