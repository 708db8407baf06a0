"""Random changes to training images, as a layer that runs where the network runs."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nasnet_keras.suggestions import unknown_name

AUGMENTATIONS = ("none", "shift")
_SHIFT = 0.125


@keras.saving.register_keras_serializable("nasnet_keras")
class Augmentation(keras.layers.Layer):
    """Changes images at random in training, and passes them through otherwise.

    Keras's own augmentation layers need TensorFlow on every backend, and take a call that does not
    say `training` for training; this one does neither.

    Input shape: `(batch, height, width, 3)`. Output shape: the same.

    Args:
        kind: `"none"`, or `"shift"`: up to an eighth of the side in each direction, the border
            repeated (one pixel of the 8x8 digits; a mirrored digit is another digit, so no flip).
        seed: Seed of the random numbers.
        **kwargs: Keras's own.

    Raises:
        ValueError: There is no such augmentation; the nearest is suggested.
    """

    def __init__(self, kind: str, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in AUGMENTATIONS:
            raise ValueError(unknown_name("augmentation", kind, AUGMENTATIONS))
        self.kind = kind
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind, "seed": self.seed}

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self._shift(inputs) if training and self.kind == "shift" else inputs

    def _shift(self, images: Any) -> Any:
        batch, height, width, _ = ops.shape(images)
        limits = ops.convert_to_tensor([width * _SHIFT, height * _SHIFT], "float32")
        uniform = keras.random.uniform((batch, 2), -1.0, 1.0, "float32", self.seed_generator)
        dx, dy = ops.split(uniform * limits, 2, axis=1)
        one, zero = ops.ones_like(dx), ops.zeros_like(dx)
        # The rows of the affine matrix that maps a pixel of the result to where it is read.
        matrix = ops.concatenate([one, zero, dx, zero, one, dy, zero, zero], axis=1)
        shifted = ops.image.affine_transform(
            images, matrix, "bilinear", "nearest", data_format="channels_last"
        )
        return ops.cast(shifted, images.dtype)
