"""The layers of a layer-wise network, as Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from nasnet_keras.genotypes import ConvolutionLayer
from nasnet_keras.layers.layerwise import ConvolutionNormRelu, PaddedConcatenate
from nasnet_keras.models.layerwise_config import LayerwiseConfig


def apply_layers(image: Any, config: LayerwiseConfig, prefix: str) -> Any:
    """Applies all layers.

    Source: Zoph and Le 2017, section 3.3.

    Args:
        image: Image, a Keras tensor.
        config: The network.
        prefix: Put before the name of every layer.

    Returns:
        The layers that no layer reads, concatenated.
    """
    genotype = config.widened
    outputs: list[Any] = []

    def read(indices: Sequence[int], name: str) -> Any:
        if not indices:
            return image
        if len(indices) == 1:
            return outputs[indices[0]]
        # Where nothing is ever padded, Keras's own layer says so of any size.
        if genotype.keeps_resolution:
            axis = -1 if keras.config.image_data_format() == "channels_last" else 1
            joined: Any = keras.layers.Concatenate(axis, name=name)
        else:
            joined = PaddedConcatenate(name=name)
        return joined([outputs[i] for i in indices])

    for index, layer in enumerate(genotype.layers):
        name = f"{prefix}layer_{index}"
        x = read(layer.inputs, f"{name}_inputs")
        if isinstance(layer, ConvolutionLayer):
            apply: Any = ConvolutionNormRelu(
                layer.filters,
                layer.window,
                layer.strides,
                batch_norm_momentum=config.batch_norm_momentum,
                batch_norm_epsilon=config.batch_norm_epsilon,
                name=name,
            )
        else:
            apply = keras.layers.MaxPooling2D(
                layer.window, layer.strides, padding="same", name=name
            )
        outputs.append(apply(x))
    return read(genotype.outputs, f"{prefix}final_layers")
