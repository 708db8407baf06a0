"""Scores a trained image classifier on a labelled split.

python eval_image_classifier.py --checkpoint_path=runs/digits --eval_dir=runs/digits/eval
"""

from pathlib import Path

from absl import flags

from nasnet_keras.command_line import import_keras_quietly, run

_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path", None, "A run directory, or a .keras file."
)
_DATASET_NAME = flags.DEFINE_string(
    "dataset_name", None, "Dataset. Default: the one the network was trained on."
)
_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Directory of the datasets; the digits need none."
)
_SPLIT = flags.DEFINE_string("dataset_split_name", "test", "Split of the dataset.")
_EVAL_DIR = flags.DEFINE_string(
    "eval_dir", None, "Where to write results.json and confusion.png. Default: nowhere."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 100, "Images at a time.", lower_bound=1)
_IMAGE_SIZE = flags.DEFINE_integer(
    "eval_image_size", None, "Side of the images, for a network that takes any.", lower_bound=1
)
_PREPROCESSING = flags.DEFINE_string(
    "preprocessing_name", None, "How pixels are brought to the network's range. Default: the run's."
)
_LABELS_OFFSET = flags.DEFINE_integer(
    "labels_offset", None, "Subtracted from labels. Default: as in training.", lower_bound=0
)


def main(arguments: list[str]) -> None:
    if not _CHECKPOINT_PATH.value:
        raise ValueError("--checkpoint_path is missing: name a run directory or a .keras file")
    import_keras_quietly()
    from nasnet_keras.data import load_dataset
    from nasnet_keras.data.registry import check_dataset
    from nasnet_keras.training.evaluation import evaluate, offset_labels
    from nasnet_keras.training.trained_model import load_trained_model
    from nasnet_keras.whole_files import check_can_write, make_directory

    if _DATASET_NAME.value:
        check_dataset(_DATASET_NAME.value, _SPLIT.value, _DATASET_DIR.value)
    if _EVAL_DIR.value:
        check_can_write(Path(_EVAL_DIR.value) / "results.json")
    trained = load_trained_model(_CHECKPOINT_PATH.value, _IMAGE_SIZE.value, _PREPROCESSING.value)
    name = _DATASET_NAME.value or trained.dataset_name
    if not name:
        raise ValueError("--dataset_name is missing: the checkpoint does not say its dataset")
    offset = trained.labels_offset if _LABELS_OFFSET.value is None else _LABELS_OFFSET.value
    dataset = offset_labels(load_dataset(name, _SPLIT.value, _DATASET_DIR.value), offset)
    result = evaluate(
        trained.model, dataset, trained.preprocessing_name, trained.image_size, _BATCH_SIZE.value
    )
    _print(result)
    if _EVAL_DIR.value:
        make_directory(_EVAL_DIR.value)
        result.write(_EVAL_DIR.value)
        print(f"wrote results.json and confusion.png to {_EVAL_DIR.value}")


def _print(result) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("class", title=f"{result.dataset}, {result.split}")
    for column in ("images", "right", "accuracy"):
        table.add_column(column, justify="right")
    for row in result.per_class():
        share = "-" if row["accuracy"] is None else f"{row['accuracy']:.2%}"
        table.add_row(row["class"], str(row["images"]), str(row["correct"]), share)
    console = Console()
    console.print(table)
    console.print(
        f"top-1 accuracy {result.accuracy:.2%} of {result.images} images, cross-entropy "
        f"{result.loss:.4f}",
        highlight=False,
    )


if __name__ == "__main__":
    run(main)
