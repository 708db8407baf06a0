"""Random changes to training images, as a layer that runs where the network runs."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.replica_seeds import ReplicaSeedGenerator
from nasnet_keras.text.suggestions import unknown_name

AUGMENTATIONS = ("none", "shift", "cifar", "cifar_cutout")
_SHIFT = 0.125
_PADDING = 8  # One part in eight: 4 of 32 pixels on each side.
_CUTOUT = 2  # One part in two: 16 of 32 pixels.


def check_augmentation(kind: str) -> None:
    """Raises a `ValueError` that suggests the nearest name for an unknown augmentation."""
    if kind not in AUGMENTATIONS:
        raise ValueError(unknown_name("augmentation", kind, AUGMENTATIONS))


@keras.saving.register_keras_serializable("nasnet_keras")
class Augmentation(keras.layers.Layer):
    """Augments images in training and returns them unchanged otherwise.

    Unlike Keras's own augmentation layers, it does not need TensorFlow, and a call without
    `training` is not training.

    Input shape: `(batch, height, width, 3)`. Output shape: the same.

    Args:
        kind: `"none"`; `"shift"`: up to an eighth of the side in each direction, the border
            repeated (one pixel of the 8x8 digits; a mirrored digit is another digit, so no flip);
            `"cifar"`: a random crop out of a border of an eighth of the side (4 of 32 pixels), and
            a flip; `"cifar_cutout"`: that, and a square of half the side (16 of 32 pixels), centred
            anywhere, set to zero. The border is zero too: the mean of whitened images.
        seed: Seed of the random changes.
        **kwargs: Keras's own.

    Raises:
        ValueError: The augmentation is unknown; the nearest is suggested.
    """

    def __init__(self, kind: str, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_augmentation(kind)
        self.kind = kind
        self.seed = seed
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, "seed": self.seed}

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or self.kind == "none":
            return inputs
        if self.kind == "shift":
            return ops.cast(self._shift(inputs), inputs.dtype)
        images = self._crop_and_flip(inputs)
        return self._cut_out(images) if self.kind == "cifar_cutout" else images

    def _shift(self, images: Any) -> Any:
        batch, height, width, _ = ops.shape(images)
        down, right = (self._interpolation(batch, side) for side in (height, width))
        # Not Keras's affine transform: XLA does not compile that of TensorFlow.
        return ops.einsum("bij,bjkc,blk->bilc", down, ops.cast(images, down.dtype), right)

    def _interpolation(self, batch: Any, side: int) -> Any:
        """Returns `(batch, side, side)`, the weight of each old line in each new one."""
        limit = side * _SHIFT
        shift = keras.random.uniform((batch, 1), -limit, limit, "float32", self.seed_generator)
        line = ops.arange(side, dtype="float32")
        source = ops.clip(line + shift, 0, side - 1)
        return ops.relu(1 - ops.abs(source[:, :, None] - line))

    def _crop_and_flip(self, images: Any) -> Any:
        batch, height, width, channels = ops.shape(images)
        top = self._integers(batch, 2 * (height // _PADDING) + 1)
        left = self._integers(batch, 2 * (width // _PADDING) + 1)
        flip = self._integers(batch, 2) == 1
        rows = ops.arange(height, dtype="int32") + top - height // _PADDING
        columns = ops.arange(width, dtype="int32")
        columns = ops.where(flip, width - 1 - columns, columns) + left - width // _PADDING
        inside = ops.logical_and(
            ops.logical_and(rows >= 0, rows < height)[:, :, None],
            ops.logical_and(columns >= 0, columns < width)[:, None, :],
        )
        rows, columns = ops.clip(rows, 0, height - 1), ops.clip(columns, 0, width - 1)
        first = ops.arange(batch, dtype="int32")[:, None, None] * (height * width)
        # One gather over all pixels copies them exactly, on every backend, with no border stored.
        index = first + rows[:, :, None] * width + columns[:, None, :]
        pixels = ops.take(ops.reshape(images, (-1, channels)), index, axis=0)
        return ops.where(inside[..., None], pixels, ops.zeros_like(pixels))

    def _cut_out(self, images: Any) -> Any:
        batch, height, width, _ = ops.shape(images)
        hidden = []
        for side in (height, width):
            place = ops.arange(side, dtype="int32") - self._integers(batch, side)
            half = side // _CUTOUT // 2
            hidden.append(ops.logical_and(place >= -half, place < half))
        square = ops.logical_and(hidden[0][:, :, None], hidden[1][:, None, :])
        return ops.where(square[..., None], ops.zeros_like(images), images)

    def _integers(self, batch: Any, limit: int) -> Any:
        """Returns `(batch, 1)` integers from 0 to below the limit."""
        return keras.random.randint((batch, 1), 0, limit, "int32", self.seed_generator)
