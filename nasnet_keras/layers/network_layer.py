"""What every layer of the networks shares: settings, sub-layers as slim makes them, scopes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import keras
from keras import ops

from nasnet_keras.layers.backends.variable_names import short_names
from nasnet_keras.layers.batch_normalization import BatchNormalization
from nasnet_keras.layers.frozen import RemembersFrozen
from nasnet_keras.layers.initializer import FanOutTruncatedNormal

Shape: TypeAlias = tuple[Any, ...]
"""A Keras shape: whole numbers, `None` where unknown."""

BOUND = 6.0
"""The cap of slim's bounded activations (`nasnet_utils.CLIP_BY_VALUE_CAP`)."""


def half(size: int | None, stride: int) -> int | None:
    """Returns the size of a SAME window's output: `ceil(size / stride)`, `None` where unknown."""
    return None if size is None else -(-size // stride)


class NetworkLayer(RemembersFrozen):
    """Base of the layers whose variables slim names.

    A sub-layer is built explicitly, so that building a network traces no arithmetic and every
    variable's path is slim's scope.

    Args:
        batch_norm_momentum: Decay of BN's moving statistics (slim: 0.9997 ImageNet, 0.9 CIFAR).
        batch_norm_epsilon: Added to BN's variance (slim: 1e-3 ImageNet, 1e-5 CIFAR).
        bounded_activation: ReLU6 for every ReLU, and activations clipped to +-6, as slim's
            `use_bounded_activation`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's setting.
        **kwargs: Keras's own (`name`, `dtype`, `trainable`).
    """

    def __init__(
        self,
        *,
        batch_norm_momentum: float = 0.9997,
        batch_norm_epsilon: float = 1e-3,
        bounded_activation: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_norm_momentum = batch_norm_momentum
        self.batch_norm_epsilon = batch_norm_epsilon
        self.bounded_activation = bounded_activation
        self.data_format = data_format or keras.config.image_data_format()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f"data_format is 'channels_last' or 'channels_first', got {data_format!r}"
            )

    @property
    def channel_axis(self) -> int:
        """The axis of the channels: -1 or 1."""
        return -1 if self.data_format == "channels_last" else 1

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that build an equal layer."""
        # Keras's own words for the dtype, which are plain data.
        return {**self.shared_settings(), **super().get_config()}

    def shared_settings(self) -> dict[str, Any]:
        """Returns the settings that a sub-layer of this kind is given too."""
        return {
            "batch_norm_momentum": self.batch_norm_momentum,
            "batch_norm_epsilon": self.batch_norm_epsilon,
            "bounded_activation": self.bounded_activation,
            "data_format": self.data_format,
            "dtype": self.dtype_policy,
        }

    def activate(self, x: Any) -> Any:
        """Applies ReLU, or ReLU6 where activations are bounded."""
        return ops.relu6(x) if self.bounded_activation else ops.relu(x)

    def clip(self, x: Any) -> Any:
        """Clips to +-6 where activations are bounded, as slim does around an operation."""
        return ops.clip(x, -BOUND, BOUND) if self.bounded_activation else x

    def subsample(self, x: Any) -> Any:
        """Keeps every second row and column of a layer's output where its stride is 2."""
        if getattr(self, "strides", 1) == 1:
            return x
        return x[:, ::2, ::2, :] if self.data_format == "channels_last" else x[:, :, ::2, ::2]

    def channels_shape(self, channels: int) -> Shape:
        """Returns a rank-4 shape of which only the channels are known: enough to build."""
        if self.data_format == "channels_last":
            return (None, None, None, channels)
        return (None, channels, None, None)

    def image_shape(self, input_shape: Shape, stride: int, channels: int) -> Shape:
        """Returns the shape after a SAME window of this stride with this many channels."""
        batch, *rest = input_shape
        if self.data_format == "channels_last":
            return (batch, half(rest[0], stride), half(rest[1], stride), channels)
        return (batch, channels, half(rest[1], stride), half(rest[2], stride))

    def convolution(
        self,
        channels: int,
        filters: int,
        kernel: int | tuple[int, int],
        name: str,
        strides: int | tuple[int, int] = 1,
        dilation: int = 1,
        padding: str = "same",
    ) -> keras.layers.Layer:
        """Makes and builds a convolution without bias."""
        layer = keras.layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding=padding,
            dilation_rate=dilation,
            use_bias=False,
            kernel_initializer=FanOutTruncatedNormal(),
            data_format=self.data_format,
            dtype=self.dtype_policy,
            name=name,
        )
        with short_names():
            layer.build(self.channels_shape(channels))
        return layer

    def batch_norm(self, channels: int, name: str) -> keras.layers.Layer:
        """Makes and builds a batch normalization."""
        layer = BatchNormalization(
            axis=self.channel_axis,
            momentum=self.batch_norm_momentum,
            epsilon=self.batch_norm_epsilon,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(self.channels_shape(channels))
        return layer


def parent_scope(layer: keras.layers.Layer) -> AbstractContextManager[Any]:
    """Opens the name scope of the layer that holds the one being built; for use in `build`.

    slim puts some variables of a part directly into its owner's scope (`cell_4/path1_conv`); the
    part is a layer of its own here and would add its name to the path.
    """
    *outer, owner = layer.path.split("/")[:-1] or [""]
    if not owner:
        return nullcontext()
    return keras.name_scope(owner, override_parent="/".join(outer))
