"""Any network by name, or by genotype, in one call."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import keras

from nasnet_keras.layers.initializer import blank_values
from nasnet_keras.models.builder import build_network
from nasnet_keras.models.preset_config import preset_config
from nasnet_keras.models.presets import get_preset
from nasnet_keras.weights.catalogue import NAMES, published_weights


def create_model(
    name: str,
    classes: int | None = None,
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    auxiliary_head: bool = False,
    weights: str | os.PathLike[str] | None = None,
    **overrides: Any,
) -> keras.Model:
    """Builds a published network, or a variant of it.

    Args:
        name: A name of `list_models()`, e.g. `"nasnet_mobile"`.
        classes: Number of classes. Default: that of the published weights, if they are asked for;
            10 for the CIFAR networks, 1001 for the ImageNet ones (class 0 is slim's background;
            `keras.applications` has 1000 without it).
        input_shape: `(height, width, 3)`; `(None, None, 3)` for any size. Default: the size that
            the network was published with.
        include_top: Whether the classifier is part of the model.
        pooling: `None`, `"avg"` or `"max"`; read only where `include_top=False`.
        classifier_activation: Activation of the classifier, `None` for logits.
        auxiliary_head: Adds the auxiliary classifier; the model then returns
            `{"logits": (batch, classes), "auxiliary_logits": (batch, classes)}`.
        weights: `None` for random ones; a name of `list_weights(name)`, e.g. `"imagenet"`; or the
            path of a `.weights.h5`, `.keras`, keras.applications `.h5` file, slim checkpoint or
            archive of one.
        **overrides: Fields of `NetworkConfig` to change, e.g. `filters=16`, `genotype=...`; of
            `LayerwiseConfig` where the genotype is layer-wise.

    Returns:
        The model.

    Raises:
        ValueError: A name is unknown (the nearest is suggested), arguments contradict one another,
            the input is too small, or the weights are another network's.
    """
    preset = get_preset(name)
    if weights is not None:
        from nasnet_keras.weights.pretrained import check_weights

        check_weights(weights)
    config = preset_config(name, **overrides)
    if classes is None:
        published = weights in NAMES
        classes = published_weights(name, str(weights)).classes if published else preset.classes
    if input_shape is None:
        channels_last = keras.config.image_data_format() == "channels_last"
        size = preset.image_size
        input_shape = (size, size, 3) if channels_last else (3, size, size)
    with blank_values() if weights is not None else contextlib.nullcontext():
        model = build_network(
            config,
            classes=classes,
            input_shape=input_shape,
            include_top=include_top,
            pooling=pooling,
            classifier_activation=classifier_activation,
            auxiliary_head=auxiliary_head,
            name=name,
        )
    if weights is not None:
        from nasnet_keras.weights import load_pretrained

        load_pretrained(model, name, weights, include_top)
    return model
