"""A trained network with what it takes to use it on a picture."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass

import keras

from nasnet_keras.classification.run_config import RunConfig
from nasnet_keras.data.preprocessing import check_preprocessing, evaluation_preprocessing
from nasnet_keras.models.inference import inference_model
from nasnet_keras.settings import MOST_SIDE, check_most
from nasnet_keras.training.optimizers.moving_average import assign_averages
from nasnet_keras.training.run_directory import config_path, find_checkpoint, read_config, run_of
from nasnet_keras.training.saved_network import load_model
from nasnet_keras.weights.catalogue import COCO, named_weights

_DEFAULT_PREPROCESSING = "scale"


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network and how pictures reach it.

    Attributes:
        model: The network as it was saved, the auxiliary head included if it has one. Its weights
            are their moving averages where the run kept those, unless they were asked for as
            trained.
        class_names: Names of its classes.
        image_size: Side of the images it takes, in pixels.
        preprocessing_name: How pixels are brought to its range.
        dataset_name: What it was trained on, `""` if unknown.
        labels_offset: What was subtracted from that dataset's labels.
        step: Training steps it has had, as far as is known.
        exif_orientation: Whether pictures are turned upright, as their EXIF orientation says.
        training_split_name: The split of that dataset it was trained on, `""` if unknown.
        evaluation_split_name: The split it is evaluated on, `""` if unknown.
    """

    model: keras.Model
    class_names: tuple[str, ...]
    image_size: int
    preprocessing_name: str
    dataset_name: str = ""
    labels_offset: int = 0
    step: int = 0
    exif_orientation: bool = True
    training_split_name: str = ""
    evaluation_split_name: str = ""


def load_trained_model(
    path: str | os.PathLike[str],
    image_size: int | None = None,
    preprocessing_name: str | None = None,
    use_moving_averages: bool = True,
    exif_orientation: bool | None = None,
) -> TrainedModel:
    """Loads a trained network from a run directory or a `.keras` file, or a published one by name.

    The names of the classes and the preprocessing are read from the `config.json` beside the
    network. A file without one has its classes numbered and its pixels scaled to [-1, 1].

    Args:
        path: A run directory, a `.keras` file, or a network on the Hub, `"hf://owner/name"`;
            or published weights and their network, e.g. `"imagenet:nasnet_mobile"`, downloaded if
            need be.
        image_size: Side of the images, in pixels, for a network that takes any size.
        preprocessing_name: Replaces the preprocessing that `config.json` names.
        use_moving_averages: Gives the weights the values of their moving averages, where there are
            any.
        exif_orientation: Replaces what `config.json` says of it; without one, pictures are turned.

    Returns:
        The network and how to use it.

    Raises:
        OSError: There is no such file, or it cannot be downloaded.
        ValueError: The file is truncated or no network, or an argument contradicts it.
    """
    if (named := named_weights(path)) and named[0] != COCO:
        # What it returns is defined here.
        from nasnet_keras.classification.published_model import load_by_name

        trained = load_by_name(*named, image_size, preprocessing_name)
        return dataclasses.replace(trained, exif_orientation=exif_orientation is not False)
    checkpoint = find_checkpoint(path, prefer_best=False)
    model = load_model(checkpoint)
    if use_moving_averages:
        assign_averages(model)
    run = run_of(checkpoint) or checkpoint.parent
    config = read_config(RunConfig, run)
    classes = inference_model(model).output["logits"].shape[1]
    names = config.class_names if config else tuple(f"class {i}" for i in range(classes))
    if len(names) != classes:
        raise ValueError(
            f"{checkpoint} has {classes} classes, but {config_path(run)} names {len(names)}"
        )
    preprocessing = evaluation_preprocessing(
        preprocessing_name
        or (config.recipe.preprocessing_name if config else _DEFAULT_PREPROCESSING)
    )
    check_preprocessing(preprocessing)
    if exif_orientation is None:
        exif_orientation = config.recipe.exif_orientation if config else True
    size = _image_size(model, image_size, config.recipe.train_image_size if config else None)
    return TrainedModel(
        model,
        names,
        size,
        preprocessing,
        config.recipe.dataset_name if config else "",
        config.recipe.labels_offset if config else 0,
        int(model.optimizer.iterations) if getattr(model, "optimizer", None) else 0,
        exif_orientation,
        config.recipe.dataset_split_name if config else "",
        config.recipe.evaluation_split_name if config else "",
    )


def _image_size(model: keras.Model, given: int | None, trained: int | None) -> int:
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2]:
        raise ValueError(
            f"network {model.name!r} takes input of shape {shape}; a picture is square, with three "
            "channels last"
        )
    fixed = shape[1]
    if fixed and given and fixed != given:
        raise ValueError(f"image size {given}: network {model.name!r} takes {fixed} pixels only")
    size = fixed or given or trained
    check_most("image size", size, MOST_SIDE)
    if not size:
        raise ValueError(f"network {model.name!r} takes images of any size: name one")
    return size
