"""A convolution followed by batch normalization, as one computation."""

from __future__ import annotations

from typing import Any

import keras


def convolve_and_normalize(
    x: Any,
    convolution: keras.layers.Layer,
    normalization: keras.layers.Layer,
    training: bool | None,
) -> Any:
    """Returns `normalization(convolution(x))`."""
    return normalization(convolution(x), training=training)
