"""How a block joins its two halves."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.genotypes import COMBINERS
from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.layers.network_layer import NetworkLayer, Shape
from nasnet_keras.text.suggestions import unknown_name


@keras.saving.register_keras_serializable(PACKAGE)
class Combine(NetworkLayer):
    """Adds or concatenates two images; an addition may be normalized.

    The paper names layer and instance normalization and not their axes. Ours: layer normalization
    over the channels of a pixel, instance normalization over the pixels of a channel.

    Input shape: two images of one shape `(batch, height, width, channels)`, or channels first.
    Output shape: the same; `"concat"` has the channels of both.

    Args:
        mode: `"add"`, `"concat"`, `"add_layer_norm"` or `"add_instance_norm"`.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(self, mode: str = "add", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in COMBINERS:
            raise ValueError(unknown_name("combination", mode, COMBINERS))
        self.mode = mode

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}

    def build(self, input_shape: Any) -> None:
        settings: dict[str, Any] = {
            "epsilon": self.batch_norm_epsilon,
            "dtype": self.dtype_policy,
        }
        self.normalization = None
        channels = input_shape[0][self.channel_axis]
        match self.mode:
            case "add" | "concat":
                pass
            case "add_layer_norm":
                self.normalization = keras.layers.LayerNormalization(name="layer_norm", **settings)
                self.normalization.build((None, None, None, channels))
            case "add_instance_norm":
                self.normalization = keras.layers.GroupNormalization(
                    groups=-1, axis=self.channel_axis, name="instance_norm", **settings
                )
                self.normalization.build(self.channels_shape(channels))
            case mode:
                raise ValueError(f"no layer computes combination {mode!r}")
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shape = list(input_shape[0])
        if self.mode == "concat":
            shape[self.channel_axis] += input_shape[1][self.channel_axis]
        return tuple(shape)

    def call(self, inputs: Any) -> Any:
        left, right = inputs
        if self.mode == "concat":
            return ops.concatenate([left, right], self.channel_axis)
        x = left + right
        if self.normalization is not None:
            # Keras's layer normalization of any other axis than the last fails on torch.
            turns = self.mode == "add_layer_norm" and self.data_format == "channels_first"
            x = self.normalization(ops.moveaxis(x, 1, -1) if turns else x)
            x = ops.moveaxis(x, -1, 1) if turns else x
        # slim's bounded networks put a ReLU6 after every addition.
        return self.activate(x) if self.bounded_activation else x
