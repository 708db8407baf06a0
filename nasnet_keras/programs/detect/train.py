"""Trains a detector with a configuration; the same command resumes an interrupted run.

  nasnet-keras detect train --config=toy --dataset_dir=runs/toy --train_dir=runs/det

Flags override the configuration's values; --config=help lists the configurations with their values.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.data_problems import problems_listed
from nasnet_keras.programs.errors import FAILED, print_error
from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Count, NonNegativeInt, Positive, Precision, Seed, Settings, hints


@dataclass(frozen=True)
class Flags(Settings):
    """What is trained, on what and where.

    Attributes:
        config: Name of the configuration, a JSON file with one, or 'help'.
        dataset_dir: Directory of the dataset, in COCO's, Pascal VOC's or TFDS's format.
        train_dir: Directory of the run.
        class_names: Names of the classes with commas between, or a file with one a line. Default:
            the dataset's; in Pascal VOC's layout those found in the split to train on.
    """

    config: str
    dataset_dir: str | None = None
    train_dir: str | None = None
    class_names: str | None = None


@dataclass(frozen=True)
class Changes(Settings):
    """The settings that are changed most often; a JSON file can change all.

    They are repeated here because the classes that define them import Keras, for which `--help`
    would wait.

    Attributes:
        max_number_of_steps: Training steps.
        image_size: Side of the images in pixels, or height,width.
        batch_size: Images in a step of one replica.
        learning_rate: Learning rate at the start.
        warmup_steps: Steps over which the learning rate rises.
        precision: Keras's dtype policy of the layers.
        seed: Seed of everything random.
        dataset_split_name: Split to train on.
        evaluation_split_name: Split to evaluate on.
        evaluate_every_epochs: Epochs between evaluations, which select best.keras; 0: only at the
            end.
        exif_orientation: Turn images upright, as their EXIF orientation says, unless they are
            annotated as stored; TFDS's records are always as stored.
        train_batch_norm: Whether the network's batch normalization is trained or frozen.
        training_proposals: Proposals kept in training.
        evaluation_proposals: Proposals kept when detecting.
        detections_per_class: Detections kept of a class in an image.
        detections: Detections kept in an image.
        anchor_base_size: Side of the square anchor of scale 1, in pixels.
        anchor_scales: Scales of the base side.
        box_batch_size: Proposals of an image that the second stage is trained on.
        crop_size: Side of the ROI features.
        crops_per_chunk: ROIs whose features are in memory at the same time, when detecting.
        training_crops_per_chunk: The same in training: fewer than --box_batch_size take less
            memory and more time.
    """

    max_number_of_steps: Count
    image_size: tuple[Count, Count]
    batch_size: Count
    learning_rate: Positive
    warmup_steps: NonNegativeInt
    precision: Precision
    seed: Seed
    dataset_split_name: str
    evaluation_split_name: str
    evaluate_every_epochs: NonNegativeInt
    exif_orientation: bool
    train_batch_norm: bool
    training_proposals: Count
    evaluation_proposals: Count
    detections_per_class: Count
    detections: Count
    anchor_base_size: Positive
    anchor_scales: tuple[Positive, ...]
    box_batch_size: Count
    crop_size: Count
    crops_per_chunk: Count
    training_crops_per_chunk: Count


def main(flags: Flags, changes: dict[str, Any], options: DetectorRunOptions) -> int:
    import_keras_quietly()
    from nasnet_keras.detection.configuration.configs import describe_configs, get_config
    from nasnet_keras.detection.data.class_names import read_class_names
    from nasnet_keras.detection.training.trainer import train
    from nasnet_keras.training.callbacks import NonFiniteLossError
    from nasnet_keras.training.compilation_cache import keep_compiled_programs

    if flags.config == "help":
        print(describe_configs())
        return 0
    if not flags.dataset_dir:
        raise ValueError("--dataset_dir is missing: name the directory of the dataset")
    if not flags.train_dir:
        raise ValueError("--train_dir is missing: name the directory of the run")
    if flags.class_names:
        changes["class_names"] = read_class_names(flags.class_names)
    if "max_number_of_steps" in changes:
        changes["steps"] = changes.pop("max_number_of_steps")
    base = get_config(flags.config)
    config = base.override(**changes)
    if config.warmup_steps < base.warmup_steps and "warmup_steps" not in changes:
        print(
            f"warmup_steps={base.warmup_steps} is not below the {config.steps} steps of this "
            f"run: it is {config.warmup_steps} here, or what --warmup_steps says",
            file=sys.stderr,
        )
    keep_compiled_programs()
    try:
        with problems_listed(flags.dataset_dir):
            train(config, flags.dataset_dir, flags.train_dir, options=options)
    except NonFiniteLossError as error:
        print_error(error)
        return FAILED
    return 0


PROGRAM = Program(
    main,
    (Flags, Overrides(Changes, "the configuration's", list(hints(Changes))), DetectorRunOptions),
)
