"""A trained network with what it takes to use it on a picture."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.data.preprocessing import check_preprocessing, evaluation_preprocessing
from nasnet_keras.models.inference import inference_model
from nasnet_keras.training.optimizers.moving_average import assign_averages
from nasnet_keras.training.run_directory import CONFIG_NAME, find_checkpoint
from nasnet_keras.training.saved_network import load_model
from nasnet_keras.whole_files import written_whole

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
    """

    model: keras.Model
    class_names: tuple[str, ...]
    image_size: int
    preprocessing_name: str
    dataset_name: str = ""
    labels_offset: int = 0
    step: int = 0


def write_config(
    directory: Path,
    recipe: Any,
    class_names: tuple[str, ...],
    replicas: int = 1,
    images: int | None = None,
) -> None:
    """Writes the `config.json` that goes with the checkpoints of a run.

    Args:
        directory: The run directory.
        recipe: The recipe as run, a dataclass.
        class_names: Names of the classes.
        replicas: Replicas of the run, whose images together make a step.
        images: Images trained on, as far as known.
    """
    config = {
        "recipe": recipe.to_dict(),
        "class_names": list(class_names),
        "replicas": replicas,
        "images": images,
    }
    with written_whole(directory / CONFIG_NAME) as path:
        path.write_text(json.dumps(config, indent=2) + "\n")


def read_config(directory: Path) -> dict[str, Any]:
    """Reads the `config.json` of a run; an empty dictionary where there is none.

    Raises:
        ValueError: The file is damaged.
    """
    path = directory / CONFIG_NAME
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text())
        return {
            "recipe": dict(config["recipe"]),
            "class_names": list(config["class_names"]),
            "replicas": int(config.get("replicas", 1)),
            "images": config.get("images"),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the configuration of a run: {error}") from None


def load_trained_model(
    path: str | os.PathLike[str],
    image_size: int | None = None,
    preprocessing_name: str | None = None,
    use_moving_averages: bool = True,
) -> TrainedModel:
    """Loads a trained network from a run directory or a `.keras` file.

    The names of the classes and the preprocessing are read from the `config.json` beside the
    network. A file without one has its classes numbered and its pixels scaled to [-1, 1].

    Args:
        path: A run directory, or a `.keras` file.
        image_size: Side of the images, in pixels, for a network that takes any size.
        preprocessing_name: Replaces the preprocessing that `config.json` names.
        use_moving_averages: Gives the weights the values of their moving averages, where there are
            any.

    Returns:
        The network and how to use it.

    Raises:
        OSError: There is no such file.
        ValueError: The file is truncated or no network, or an argument contradicts it.
    """
    checkpoint = find_checkpoint(path, prefer_best=False)
    model = load_model(checkpoint)
    if use_moving_averages:
        assign_averages(model)
    config = read_config(checkpoint.parent)
    recipe = config.get("recipe", {})
    classes = inference_model(model).output["logits"].shape[1]
    names = tuple(config.get("class_names", ())) or tuple(f"class {i}" for i in range(classes))
    if len(names) != classes:
        raise ValueError(
            f"{checkpoint} has {classes} classes, but {checkpoint.parent / CONFIG_NAME} names "
            f"{len(names)}"
        )
    preprocessing = evaluation_preprocessing(
        preprocessing_name or recipe.get("preprocessing_name", _DEFAULT_PREPROCESSING)
    )
    check_preprocessing(preprocessing)
    size = _image_size(model, image_size, recipe.get("train_image_size"))
    return TrainedModel(
        model,
        names,
        size,
        preprocessing,
        recipe.get("dataset_name", ""),
        recipe.get("labels_offset", 0),
        int(model.optimizer.iterations) if getattr(model, "optimizer", None) else 0,
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
    if not size:
        raise ValueError(f"network {model.name!r} takes images of any size: name one")
    return size
