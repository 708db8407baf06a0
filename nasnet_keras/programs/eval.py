"""Scores a trained image classifier on a labelled split.

python eval_image_classifier.py --checkpoint_path=runs/digits --eval_dir=runs/digits/eval

--checkpoint_path is a run directory or a .keras file; with --model_name also a slim checkpoint, a
.weights.h5 file, or 'imagenet' for the weights that Keras publishes.
"""

import os
from pathlib import Path

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, run

_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path", None, "A run directory, a .keras file, or weights of --model_name."
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name", None, "Network that the weights are of, a name of nasnet_keras.list_models()."
)
_DATASET_NAME = flags.DEFINE_string(
    "dataset_name", None, "Dataset. Default: the one the network was trained on."
)
_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Directory of the datasets; the digits need none."
)
_SPLIT = flags.DEFINE_string(
    "dataset_split_name",
    None,
    "Split of the dataset. Default: the one that the run is tested on, else 'test'.",
)
_EVAL_DIR = flags.DEFINE_string(
    "eval_dir", None, "Where to write results, pictures and TensorBoard's. Default: nowhere."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 100, "Images at a time.", lower_bound=1)
_MAX_NUM_BATCHES = flags.DEFINE_integer(
    "max_num_batches", None, "Batches to score. Default: all.", lower_bound=1
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "eval_image_size", None, "Side of the images, for a network that takes any.", lower_bound=1
)
_PREPROCESSING = flags.DEFINE_string(
    "preprocessing_name",
    None,
    "How pixels are brought to the network's range. Default: the run's, or the network's.",
)
_LABELS_OFFSET = flags.DEFINE_integer(
    "labels_offset",
    None,
    "Subtracted from labels: 1 leaves out class 0, -1 adds a background class. Default: as in "
    "training.",
)
_MOVING_AVERAGE_DECAY = flags.DEFINE_float(
    "moving_average_decay",
    None,
    "0 scores the weights as trained; otherwise their moving averages, where the checkpoint has "
    "them.",
    lower_bound=0,
    upper_bound=1,
)
_MISTAKES = flags.DEFINE_integer(
    "mistakes", 24, "Misclassified images to write; 0 for none.", lower_bound=0
)
_TABLE_CLASSES = 50
_MOST_CONFUSED = 10


def main(arguments: list[str]) -> None:
    checkpoint = _CHECKPOINT_PATH.value
    if not checkpoint:
        raise ValueError("--checkpoint_path is missing: name a run directory or a .keras file")
    import_keras_quietly()
    from rich.console import Console

    from nasnet_keras.classification.evaluation import evaluate
    from nasnet_keras.training.tensorboard import write_evaluation
    from nasnet_keras.whole_files import check_can_write, make_directory

    if _EVAL_DIR.value:
        check_can_write(Path(_EVAL_DIR.value) / "results.json")
    if _MODEL_NAME.value and not _knows_itself(checkpoint):
        trained, batches = _open_published(checkpoint, _MODEL_NAME.value)
    else:
        trained, batches = _open_run(checkpoint)
    console = Console()
    result = evaluate(
        trained.model,
        batches,
        _MAX_NUM_BATCHES.value,
        _MISTAKES.value if _EVAL_DIR.value else 0,
        console,
    )
    _print(result, console)
    if _EVAL_DIR.value:
        written = result.write(make_directory(_EVAL_DIR.value))
        if write_evaluation(_EVAL_DIR.value, result, trained.step):
            written.append(f"TensorBoard's events of step {trained.step}")
        print(f"wrote {', '.join(written[:-1])} and {written[-1]} to {_EVAL_DIR.value}")


def _knows_itself(checkpoint: str) -> bool:
    from nasnet_keras.training.run_directory import CHECKPOINT_NAME

    path = Path(checkpoint)
    return path.suffix == ".keras" or (path / CHECKPOINT_NAME).exists()


def _open_run(checkpoint: str):
    """Returns a network that knows itself, and its batches."""
    from nasnet_keras.classification.run_config import RunConfig
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.data.streams.evaluation_batches import (
        check_evaluation_data,
        evaluation_batches,
    )

    path = Path(checkpoint)
    if not _knows_itself(checkpoint) and (path.is_file() or os.path.exists(f"{path}.index")):
        raise ValueError(
            f"--model_name is missing: {path} is neither a run directory nor a .keras file, and "
            "does not say which network its weights are of"
        )
    config = RunConfig.read(path if path.is_dir() else path.parent)
    recipe = config.recipe if config else None
    name = _DATASET_NAME.value or (recipe and recipe.dataset_name)
    split = _SPLIT.value
    if not split and recipe and name == recipe.dataset_name:
        split = recipe.evaluation_split_name
    split = split or "test"
    if name:
        check_evaluation_data(name, split, _DATASET_DIR.value, _PREPROCESSING.value)
    trained = load_trained_model(
        path, _IMAGE_SIZE.value, _PREPROCESSING.value, _MOVING_AVERAGE_DECAY.value != 0
    )
    if not name:
        raise ValueError("--dataset_name is missing: the checkpoint does not say its dataset")
    if _MODEL_NAME.value not in (None, trained.model.name):
        raise ValueError(
            f"--model_name={_MODEL_NAME.value}, but {path} holds network {trained.model.name!r}"
        )
    offset = trained.labels_offset if _LABELS_OFFSET.value is None else _LABELS_OFFSET.value
    batches = evaluation_batches(
        name,
        split,
        _DATASET_DIR.value,
        trained.preprocessing_name,
        trained.image_size,
        _BATCH_SIZE.value,
        offset,
    )
    return trained, batches


def _open_published(checkpoint: str, model_name: str):
    """Returns a network built by its name, with as many classes as the dataset, and its batches."""
    from nasnet_keras.classification.published_model import (
        load_published_model,
        published_preprocessing,
    )
    from nasnet_keras.data.streams.evaluation_batches import evaluation_batches
    from nasnet_keras.models import get_preset

    size = _IMAGE_SIZE.value or get_preset(model_name).image_size
    preprocessing = _PREPROCESSING.value or published_preprocessing(model_name)
    if not _DATASET_NAME.value:
        raise ValueError("--dataset_name is missing: weights do not say their dataset")
    batches = evaluation_batches(
        _DATASET_NAME.value,
        _SPLIT.value or "test",
        _DATASET_DIR.value,
        preprocessing,
        size,
        _BATCH_SIZE.value,
        _LABELS_OFFSET.value or 0,
    )
    trained = load_published_model(
        model_name,
        checkpoint,
        batches.class_names,
        size,
        preprocessing,
        _MOVING_AVERAGE_DECAY.value != 0,
    )
    return trained, batches


def _print(result, console) -> None:
    from rich.table import Table

    if len(result.class_names) <= _TABLE_CLASSES:
        table = Table("class", title=f"{result.dataset}, {result.split}")
        for column in ("images", "right", "accuracy"):
            table.add_column(column, justify="right")
        for row in result.per_class():
            share = "-" if row["accuracy"] is None else f"{row['accuracy']:.2%}"
            table.add_row(row["class"], str(row["images"]), str(row["correct"]), share)
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
        f"{result.loss:.4f}",
        highlight=False,
    )


if __name__ == "__main__":
    run(main)
