"""Base of the operations of a cell."""

from __future__ import annotations

from typing import Any

from nasnet_keras.layers.network_layer import NetworkLayer, Shape


class Operation(NetworkLayer):
    """One operation of a cell: image in, `filters` channels out, at the stride asked for.

    Input shape: `(batch, height, width, channels)`, or channels first.
    Output shape: `(batch, ceil(height / strides), ceil(width / strides), filters)`.

    Args:
        filters: Channels of the output.
        strides: 1 or 2.
        **kwargs: See `NetworkLayer`.
    """

    def __init__(self, filters: int, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if filters < 1:
            raise ValueError(f"filters is at least 1, got {filters!r}")
        if strides not in (1, 2):
            raise ValueError(f"strides is 1 or 2, got {strides!r}")
        self.filters = filters
        self.strides = strides

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.image_shape(input_shape, self.strides, self.filters)
