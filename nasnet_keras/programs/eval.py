"""Scores a trained image classifier on a labelled split.

  nasnet-keras eval --checkpoint_path=runs/digits --eval_dir=runs/digits/eval

--checkpoint_path is a run directory or a .keras file; with --model_name also a slim checkpoint, a
.weights.h5 file, or 'imagenet' for the weights that Keras publishes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.data_problems import problems_listed
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import (
    MOST_SIDE,
    Count,
    Fraction,
    NonNegative,
    NonNegativeInt,
    Range,
    Settings,
)
from nasnet_keras.text.plain_text import say

_TABLE_CLASSES = 50
_MOST_CONFUSED = 10


@dataclass(frozen=True)
class Flags(Settings):
    """What is evaluated, and on what.

    Attributes:
        checkpoint_path: A run directory, a .keras file, or weights of --model_name.
        model_name: Network of the weights, a name of nasnet_keras.list_models().
        dataset_name: Dataset. Default: the training dataset.
        dataset_dir: Directory of the datasets; not needed for digits.
        dataset_split_name: Split of the dataset. Default: the run's evaluation split, else 'test'.
        eval_dir: Where to write results, images and TensorBoard's events. Default: nowhere.
        batch_size: Images in a batch.
        max_num_batches: Batches to evaluate. Default: all.
        eval_image_size: Side of the images, for a network that takes any size.
        preprocessing_name: How pixels are scaled to the network's range. Default: the run's, or
            the network's.
        labels_offset: Subtracted from labels: 1 drops class 0, -1 adds a background class.
            Default: as in training.
        exif_orientation: Turn the photographs of an image folder upright, as their EXIF orientation
            says. Default: as in training.
        moving_average_decay: 0 evaluates the weights as trained; otherwise their moving averages,
            if the checkpoint has them.
        mistakes: Misclassified images to write; 0 for none.
        check_secs: Seconds to spend in advance on decoding your own image files; 0: none.
        drop_invalid: Decode all of them, and go on without those that cannot be.
        allow_empty_classes: Whether a class of a folder of images may have none in the split.
    """

    _most: ClassVar[dict[str, int]] = {"eval_image_size": MOST_SIDE}

    checkpoint_path: str
    model_name: str | None = None
    dataset_name: str | None = None
    dataset_dir: str | None = None
    dataset_split_name: str | None = None
    eval_dir: str | None = None
    batch_size: Count = 100
    max_num_batches: Count | None = None
    eval_image_size: Count | None = None
    preprocessing_name: str | None = None
    labels_offset: Annotated[int, Range(-1)] | None = None
    exif_orientation: bool | None = None
    moving_average_decay: Fraction | None = None
    mistakes: NonNegativeInt = 24
    check_secs: NonNegative = 30.0
    drop_invalid: bool = False
    allow_empty_classes: bool = False


def main(flags: Flags) -> None:
    import_keras_quietly()
    from nasnet_keras.classification.board import write_evaluation
    from nasnet_keras.classification.evaluation import evaluate
    from nasnet_keras.files.atomic_files import check_can_write, make_directory
    from nasnet_keras.text.plain_console import PlainConsole

    if flags.eval_dir:
        check_can_write(Path(flags.eval_dir) / "results.json")
    console = PlainConsole()
    with problems_listed(flags.dataset_dir):
        if flags.model_name and not _describes_itself(flags.checkpoint_path):
            trained, batches = _open_published(flags, flags.model_name)
        else:
            trained, batches = _open_run(flags)
        result = evaluate(
            trained.model,
            batches,
            flags.max_num_batches,
            flags.mistakes if flags.eval_dir else 0,
            console,
        )
    _print(result, console)
    if flags.eval_dir:
        written = result.write(make_directory(flags.eval_dir))
        if write_evaluation(flags.eval_dir, result, trained.step):
            written.append(f"TensorBoard's events of step {trained.step}")
        say(f"wrote {', '.join(written[:-1])} and {written[-1]} to {flags.eval_dir}")


def _describes_itself(checkpoint: str) -> bool:
    from nasnet_keras.hub import is_hub_address
    from nasnet_keras.training.run_directory import CHECKPOINT_NAME

    path = Path(checkpoint)
    return is_hub_address(path) or path.suffix == ".keras" or (path / CHECKPOINT_NAME).exists()


def _open_run(flags: Flags) -> tuple[Any, Any]:
    """Returns a network from a self-describing file, and its batches."""
    from nasnet_keras.classification.run_config import RunConfig
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.data.streams.evaluation_batches import (
        check_evaluation_data,
        evaluation_batches,
    )
    from nasnet_keras.hub import download_network, is_hub_address
    from nasnet_keras.training.run_directory import read_config

    path = Path(flags.checkpoint_path)
    if is_hub_address(path):
        path = download_network(flags.checkpoint_path)
    if not _describes_itself(flags.checkpoint_path) and (
        path.is_file() or os.path.exists(f"{path}.index")
    ):
        raise ValueError(
            f"--model_name is missing: {path} is neither a run directory nor a .keras file, so "
            "the network of its weights is unknown"
        )
    config = read_config(RunConfig, path if path.is_dir() else path.parent)
    recipe = config.recipe if config else None
    name = flags.dataset_name or (recipe and recipe.dataset_name)
    split = flags.dataset_split_name
    if not split and recipe and name == recipe.dataset_name:
        split = recipe.evaluation_split_name
    split = split or "test"
    if name:
        check_evaluation_data(name, split, flags.dataset_dir, flags.preprocessing_name)
    trained = load_trained_model(
        path,
        flags.eval_image_size,
        flags.preprocessing_name,
        flags.moving_average_decay != 0,
        flags.exif_orientation,
    )
    if not name:
        raise ValueError("--dataset_name is missing: the checkpoint does not name its dataset")
    if flags.model_name not in (None, trained.model.name):
        raise ValueError(
            f"--model_name={flags.model_name}, but {path} holds network {trained.model.name!r}"
        )
    offset = trained.labels_offset if flags.labels_offset is None else flags.labels_offset
    image = (trained.preprocessing_name, trained.image_size)
    return trained, evaluation_batches(
        *(name, split, flags.dataset_dir, *image, flags.batch_size, offset),
        exif_orientation=trained.exif_orientation,
        drop_invalid=flags.drop_invalid,
        allow_empty_classes=flags.allow_empty_classes,
        check_secs=flags.check_secs,
    )


def _open_published(flags: Flags, model_name: str) -> tuple[Any, Any]:
    """Returns a network built by name, with the dataset's number of classes, and its batches."""
    from nasnet_keras.classification.published_model import (
        load_published_model,
        published_preprocessing,
    )
    from nasnet_keras.data.streams.evaluation_batches import evaluation_batches
    from nasnet_keras.models import get_preset

    size = flags.eval_image_size or get_preset(model_name).image_size
    preprocessing = flags.preprocessing_name or published_preprocessing(model_name)
    if not flags.dataset_name:
        raise ValueError("--dataset_name is missing: weights do not name their dataset")
    batches = evaluation_batches(
        flags.dataset_name,
        flags.dataset_split_name or "test",
        flags.dataset_dir,
        preprocessing,
        size,
        flags.batch_size,
        flags.labels_offset or 0,
        exif_orientation=flags.exif_orientation is not False,
        drop_invalid=flags.drop_invalid,
        allow_empty_classes=flags.allow_empty_classes,
        check_secs=flags.check_secs,
    )
    trained = load_published_model(
        model_name,
        flags.checkpoint_path,
        batches.class_names,
        size,
        preprocessing,
        flags.moving_average_decay != 0,
    )
    return trained, batches


def _print(result, console) -> None:
    from rich.table import Table

    if len(result.class_names) <= _TABLE_CLASSES:
        table = Table("class", title=f"{result.dataset}, {result.split}")
        for column in ("images", "right", "precision", "recall", "F1"):
            table.add_column(column, justify="right")
        for row in result.per_class():
            scores = [row[score] for score in ("precision", "recall", "f1")]
            texts = ["-" if score is None else f"{score:.2%}" for score in scores]
            table.add_row(row["class"], str(row["images"]), str(row["correct"]), *texts)
    else:
        table = Table(
            "class", "taken for", title=f"{result.dataset}, {result.split}: most confused"
        )
        table.add_column("images", justify="right")
        for row in result.most_confused(_MOST_CONFUSED):
            table.add_row(row["class"], row["taken_for"], str(row["images"]))
    console.print(table)
    top_5 = "" if result.top_5_accuracy is None else f", top-5 {result.top_5_accuracy:.2%}"
    console.print(
        f"top-1 accuracy {result.accuracy:.2%} of {result.images} images{top_5}, cross-entropy "
        f"{result.loss:.4f}"
    )
    means = result.class_means()
    console.print(
        f"mean of the classes: precision {means['precision']:.2%}, recall {means['recall']:.2%}, "
        f"F1 {means['f1']:.2%}"
    )


PROGRAM = Program(main, (Flags,))
