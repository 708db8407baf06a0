"""A published network with weights from elsewhere, ready to be used on pictures."""

from __future__ import annotations

import os

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.preprocessing import check_preprocessing, evaluation_preprocessing
from nasnet_keras.models import create_model, get_preset
from nasnet_keras.weights import (
    load_pretrained,
    load_slim_checkpoint,
    slim_checkpoint_shapes,
    slim_checkpoint_step,
)
from nasnet_keras.weights.catalogue import NAMES, published_weights
from nasnet_keras.weights.imagenet_classes import IMAGENET_CLASSES, imagenet_class_names
from nasnet_keras.weights.slim_checkpoint import AVERAGE
from nasnet_keras.weights.timm_weights import TIMM_ENDINGS

_READ_ELSEWHERE = (".h5", ".hdf5", *TIMM_ENDINGS)


def published_preprocessing(model_name: str) -> str:
    """Returns how slim preprocesses images for a published network, in evaluation.

    Raises:
        ValueError: There is no such network; the nearest is suggested.
    """
    return "inception" if get_preset(model_name).is_imagenet else "cifar"


def load_by_name(
    weights: str, model_name: str, image_size: int | None, preprocessing_name: str | None
) -> TrainedModel:
    """Builds a network with its published weights and the names of ImageNet's classes.

    Args:
        weights: A name of `list_weights(model_name)`, e.g. `"imagenet"`.
        model_name: The network.
        image_size: As in `load_published_model`.
        preprocessing_name: As in `load_published_model`.

    Raises:
        ConnectionError: A download failed; the error says which file to put where.
        ValueError: There are no such weights of it, or a file is damaged.
        OSError: It cannot be written.
    """
    classes = published_weights(model_name, weights).classes
    names = imagenet_class_names(background=classes == IMAGENET_CLASSES + 1)
    return load_published_model(model_name, weights, names, image_size, preprocessing_name)


def load_published_model(
    model_name: str,
    weights: str | os.PathLike[str],
    class_names: tuple[str, ...],
    image_size: int | None = None,
    preprocessing_name: str | None = None,
    use_moving_averages: bool = True,
) -> TrainedModel:
    """Builds a network by name and loads a slim checkpoint or a file of weights.

    Args:
        model_name: A name of `list_models()`.
        weights: A slim checkpoint, a `.weights.h5`, an `.h5` of `keras.applications`, or a
            name of `list_weights`, e.g. `"imagenet"`.
        class_names: Names of its classes.
        image_size: Side of the images, in pixels. Default: that of the published network.
        preprocessing_name: How pixels are brought to its range. Default: as
            `published_preprocessing`.
        use_moving_averages: Reads the moving averages of the weights where a slim checkpoint has
            them.

    Returns:
        The network and how to use it.

    Raises:
        OSError: There is no such file.
        ValueError: A name is unknown, or the weights are damaged or another network's.
    """
    preset = get_preset(model_name)
    preprocessing = evaluation_preprocessing(
        preprocessing_name or published_preprocessing(model_name)
    )
    check_preprocessing(preprocessing)
    size = image_size or preset.image_size
    model = create_model(model_name, classes=len(class_names), input_shape=(size, size, 3))
    step = 0
    if weights in NAMES or os.fspath(weights).endswith(_READ_ELSEWHERE):
        load_pretrained(model, model_name, weights)
    else:
        has_averages = any(name.endswith(AVERAGE) for name in slim_checkpoint_shapes(weights))
        load_slim_checkpoint(model, weights, use_moving_averages and has_averages)
        step = slim_checkpoint_step(weights)
    return TrainedModel(model, class_names, size, preprocessing, step=step)
