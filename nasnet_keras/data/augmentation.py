"""Random changes to training images, as Keras layers that run where the network runs."""

from __future__ import annotations

from typing import Any

import keras

AUGMENTATIONS = ("none", "shift")
_SHIFT = 0.125


def augment(images: Any, name: str, seed: int) -> Any:
    """Puts the layers of an augmentation behind an input; outside training they do nothing.

    They are part of the model, so that their random state is saved and resumed with it.

    Args:
        images: A Keras tensor, `(batch, height, width, 3)`.
        name: `"none"`, or `"shift"`: up to an eighth of the side in each direction, the border
            repeated (one pixel of the 8x8 digits; a mirrored digit is another digit, so no flip).
        seed: Seed of the random numbers.

    Returns:
        A Keras tensor of the same shape.
    """
    if name == "shift":
        layer = keras.layers.RandomTranslation(
            _SHIFT, _SHIFT, fill_mode="nearest", seed=seed, name="random_shift"
        )
        images = layer(images)
    return images
