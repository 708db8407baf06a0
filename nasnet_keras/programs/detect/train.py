"""Trains a detector by a configuration; the same command continues a run that was cut off.

  python object_detection/train.py --config=toy --dataset_dir=runs/toy --train_dir=runs/det

A flag left out keeps the configuration's value; --config=help lists the configurations with their
values.
"""

import dataclasses
import sys
import typing

from absl import flags

from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.programs.command_line import import_keras_quietly, run

_CONFIG = flags.DEFINE_string(
    "config", None, "Name of the configuration, a JSON file with one, or 'help'."
)
_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Directory of the dataset, in COCO's, Pascal VOC's or TFDS's layout."
)
_TRAIN_DIR = flags.DEFINE_string("train_dir", None, "Directory of the run.")
_IMAGE_SIZE = flags.DEFINE_list(
    "image_size",
    None,
    "Side of the images in pixels, or height,width. Default: the configuration's.",
)
# The settings that are most often changed; a JSON file holds them all.
_SETTINGS = {
    "max_number_of_steps": (flags.DEFINE_integer, "Training steps.", "steps"),
    "batch_size": (flags.DEFINE_integer, "Images in a step of one replica.", "batch_size"),
    "learning_rate": (flags.DEFINE_float, "Learning rate at the start.", "learning_rate"),
    "precision": (flags.DEFINE_string, "Keras's dtype policy of the layers.", "precision"),
    "seed": (flags.DEFINE_integer, "Seed of everything random.", "seed"),
    "dataset_split_name": (flags.DEFINE_string, "Split to train on.", "dataset_split_name"),
    "evaluation_split_name": (flags.DEFINE_string, "Split to score on.", "evaluation_split_name"),
    "evaluate_every_epochs": (
        flags.DEFINE_integer,
        "Epochs between evaluations, of which best.keras is kept; 0: one at the end.",
        "evaluate_every_epochs",
    ),
    "train_batch_norm": (
        flags.DEFINE_bool,
        "Whether BN of the network learns, or stays as in the classifier.",
        "train_batch_norm",
    ),
    "training_proposals": (
        flags.DEFINE_integer,
        "Proposals kept in training.",
        "training_proposals",
    ),
    "evaluation_proposals": (
        flags.DEFINE_integer,
        "Proposals kept when detecting.",
        "evaluation_proposals",
    ),
    "box_batch_size": (
        flags.DEFINE_integer,
        "Proposals of an image that the second stage is trained on.",
        "box_batch_size",
    ),
    "crop_size": (flags.DEFINE_integer, "Side of the crops of the features.", "crop_size"),
    "crops_per_chunk": (
        flags.DEFINE_integer,
        "Crops that are in memory at once.",
        "crops_per_chunk",
    ),
}
for _flag, (_define, _help, _) in _SETTINGS.items():
    _define(_flag, None, f"{_help} Default: the configuration's.")


def _define_options() -> list[str]:
    """Makes each field of the run's options a flag; returns their names."""
    types = typing.get_type_hints(DetectorRunOptions)
    defines = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    fields = dataclasses.fields(DetectorRunOptions)
    for field in fields:
        kinds = typing.get_args(types[field.name]) or (types[field.name],)
        define = defines[kinds[0]]
        define(field.name, None, f"{field.metadata['help']} Default: {field.default}.")
    return [field.name for field in fields]


_OPTIONS = _define_options()


def _image_size(texts: list[str]) -> tuple[int, int]:
    if len(texts) not in (1, 2) or not all(text.strip().isdecimal() for text in texts):
        raise ValueError(f"--image_size is a side or height,width, got {','.join(texts)!r}")
    return int(texts[0]), int(texts[-1])


def main(arguments: list[str]) -> int:
    if not _CONFIG.value:
        raise ValueError("--config is missing: name a configuration, e.g. --config=toy, or 'help'")
    import_keras_quietly()
    from nasnet_keras.detection.configuration.configs import describe_configs, get_config
    from nasnet_keras.detection.data.annotation_checks import AnnotationError
    from nasnet_keras.detection.training.trainer import train
    from nasnet_keras.training.callbacks import NonFiniteLossError

    if _CONFIG.value == "help":
        print(describe_configs())
        return 0
    if not _DATASET_DIR.value:
        raise ValueError("--dataset_dir is missing: name the directory of the dataset")
    if not _TRAIN_DIR.value:
        raise ValueError("--train_dir is missing: name the directory of the run")
    values = {field: flags.FLAGS[name].value for name, (_, _, field) in _SETTINGS.items()}
    values = {field: value for field, value in values.items() if value is not None}
    if _IMAGE_SIZE.value:
        values["image_size"] = _image_size(_IMAGE_SIZE.value)
    config = get_config(_CONFIG.value).override(**values)
    options = {name: flags.FLAGS[name].value for name in _OPTIONS}
    options = {name: value for name, value in options.items() if value is not None}
    try:
        train(config, _DATASET_DIR.value, _TRAIN_DIR.value, options=DetectorRunOptions(**options))
    except AnnotationError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise ValueError(
            f"{len(error.problems)} annotations or images of {_DATASET_DIR.value} are wrong, see "
            "above; --drop_invalid goes on without them"
        ) from error
    except NonFiniteLossError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    run(main)
