"""The `keras.applications` way in: same arguments, same defaults, same errors."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import keras

from nasnet_keras.layers.initializer import blank_values
from nasnet_keras.models.builder import build_network
from nasnet_keras.models.presets import get_preset
from nasnet_keras.weights.catalogue import NAMES, published_weights

_MIN_SIZE = 32


def NASNetMobile(
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "nasnet_mobile",
) -> keras.Model:
    """NASNet-A `4@1056`, a drop-in for `keras.applications.NASNetMobile`.

    Unlike it, `input_shape` may be of any size, and dynamic, also with `weights="imagenet"` and
    `include_top=False`; and pools do not count their padding, as in the code that trained the
    weights.

    Args:
        input_shape: `(height, width, 3)`, at least 32 pixels a side; `None` for an unknown side.
            Default: `(224, 224, 3)`.
        include_top: Whether the classifier is part of the model.
        weights: `"imagenet"` or another name of `list_weights`, `None` for random ones, or a file's
            path.
        input_tensor: A Keras tensor to use as the input. With a name of your own, the layers' names
            begin with it, so that several networks on one tensor can be parts of one model.
        pooling: `None`, `"avg"` or `"max"`; read only where `include_top=False`.
        classes: Number of classes; 1000 with `weights="imagenet"` and `include_top=True`.
        classifier_activation: Activation of the classifier, `None` for logits; with pretrained
            weights `None` or `"softmax"`.
        name: Name of the model.

    Returns:
        The model.

    Raises:
        ValueError: An argument is illegal, or two contradict each other.
    """
    return _application("nasnet_mobile", **locals())


def NASNetLarge(
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "nasnet_large",
) -> keras.Model:
    """NASNet-A `6@4032`, a drop-in for `keras.applications.NASNetLarge`; see `NASNetMobile`.

    Default input: `(331, 331, 3)`.
    """
    return _application("nasnet_large", **locals())


def PNASNetMobile(
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "pnasnet_mobile",
) -> keras.Model:
    """PNASNet-5 (N=3, F=54), arguments as `NASNetMobile`.

    Default input: `(224, 224, 3)`.
    """
    return _application("pnasnet_mobile", **locals())


def PNASNetLarge(
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "pnasnet_large",
) -> keras.Model:
    """PNASNet-5 (N=4, F=216), arguments as `NASNetMobile`.

    Default input: `(331, 331, 3)`.
    """
    return _application("pnasnet_large", **locals())


def NASNetCIFAR(
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    weights: str | os.PathLike[str] | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "nasnet_cifar",
) -> keras.Model:
    """NASNet-A `6@768`, arguments as `NASNetMobile`; no published weights.

    Default input: `(32, 32, 3)`.
    """
    return _application("nasnet_cifar", **locals())


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pixels in [0, 255] to [-1, 1], as `keras.applications.nasnet.preprocess_input`."""
    return keras.applications.nasnet.preprocess_input(x, data_format=data_format)


def decode_predictions(preds: Any, top: int = 5) -> Any:
    """Names the top classes, as `keras.applications.nasnet.decode_predictions`.

    Args:
        preds: `(batch, 1000)` probabilities; or `(batch, 1001)`, slim's classes, of which the
            background (class 0) is left out.
        top: How many classes.

    Returns:
        A list for each example of `(id, name, probability)`.
    """
    if len(preds.shape) == 2 and preds.shape[1] == 1001:
        preds = preds[:, 1:]
    return keras.applications.nasnet.decode_predictions(preds, top=top)


def _application(
    preset_name: str,
    *,
    input_shape: Sequence[int | None] | None,
    include_top: bool,
    weights: str | os.PathLike[str] | None,
    input_tensor: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
) -> keras.Model:
    preset = get_preset(preset_name)
    if weights is not None:
        from nasnet_keras.weights.pretrained import check_weights

        check_weights(weights)
    if weights in NAMES:
        published_weights(preset_name, str(weights))
    elif weights is not None and not (
        os.path.exists(weights) or os.path.exists(f"{weights}.index")
    ):
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), `imagenet` "
            "(pre-training on ImageNet), another name of `list_weights`, or the path to a weights "
            f"file or a slim checkpoint, got {weights!r}"
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(
            'If using `weights="imagenet"` with `include_top=True`, `classes` should be 1000, '
            f"got {classes}"
        )
    if weights is not None and include_top and classifier_activation not in (None, "softmax"):
        raise ValueError(
            "with pretrained weights, `classifier_activation` can only be None or 'softmax', got "
            f"{classifier_activation!r}"
        )
    channels_last = keras.config.image_data_format() == "channels_last"
    if input_shape is None:
        size = preset.image_size
        input_shape = (size, size, 3) if channels_last else (3, size, size)
    if input_tensor is not None and keras.backend.is_keras_tensor(input_tensor):
        input_shape = input_tensor.shape[1:]
    if not isinstance(input_shape, Sequence) or len(input_shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers, got {input_shape!r}")
    input_shape = tuple(input_shape)
    *sides, channels = input_shape if channels_last else input_shape[1:] + input_shape[:1]
    if weights in NAMES and channels != 3:
        raise ValueError(
            f"The input must have 3 channels with `weights='{weights}'`, got {input_shape}"
        )
    if any(side is not None and side < _MIN_SIZE for side in sides):
        raise ValueError(f"Input size must be at least {_MIN_SIZE}x{_MIN_SIZE}, got {input_shape}")
    with blank_values() if weights is not None else contextlib.nullcontext():
        model = build_network(
            preset.config,
            classes=classes,
            input_shape=input_shape,
            include_top=include_top,
            pooling=None if include_top else pooling,
            classifier_activation=classifier_activation,
            input_tensor=input_tensor,
            name=name,
            name_prefix="" if input_tensor is None or name == preset_name else f"{name}_",
        )
    if weights is not None:
        from nasnet_keras.weights import load_pretrained

        load_pretrained(model, preset_name, weights, include_top)
    return model
