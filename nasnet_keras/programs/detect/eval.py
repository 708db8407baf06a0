"""Scores a trained detector as COCO does: the twelve numbers and each class's average precision.

python object_detection/evaluate.py --checkpoint_path=runs/det --dataset_dir=runs/toy
"""

import sys
from pathlib import Path

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, run

_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path",
    None,
    "A run directory, of which the best detector is scored, or a .keras file in one.",
)
_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Directory of the dataset, in COCO's, Pascal VOC's or TFDS's layout."
)
_SPLIT = flags.DEFINE_string("split", None, "Split to score. Default: the run's.")
_IMAGE_IDS = flags.DEFINE_string(
    "image_ids",
    None,
    "File with the names or ids of the images to score, one a line, e.g. a mini-val.",
)
_EVAL_DIR = flags.DEFINE_string(
    "eval_dir", None, "Where to write results.json and metrics.json. Default: nowhere."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Images at a time. Default: as in training.", lower_bound=1
)
_PROPOSALS = flags.DEFINE_integer(
    "evaluation_proposals", None, "Proposals to look at. Default: the run's.", lower_bound=1
)
_DROP_INVALID = flags.DEFINE_bool(
    "drop_invalid", False, "Go on without the images and boxes that are wrong."
)


def main(arguments: list[str]) -> int:
    if not _CHECKPOINT_PATH.value:
        raise ValueError("--checkpoint_path is missing: name a run directory or a .keras file")
    if not _DATASET_DIR.value:
        raise ValueError("--dataset_dir is missing: name the directory of the dataset")
    import_keras_quietly()
    from nasnet_keras.detection.data.datasets import load_detection_index
    from nasnet_keras.detection.data.image_lists import read_image_ids
    from nasnet_keras.detection.evaluation.coco_metrics import evaluate_results, write_results
    from nasnet_keras.detection.evaluation.detecting import detect_split
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.detection.training.trainer import METRICS_NAME, RESULTS_NAME, write_metrics
    from nasnet_keras.whole_files import check_can_write, make_directory

    if _EVAL_DIR.value:
        check_can_write(Path(_EVAL_DIR.value) / RESULTS_NAME)
    if _IMAGE_IDS.value and not Path(_IMAGE_IDS.value).is_file():
        raise FileNotFoundError(2, "the list of images is missing", _IMAGE_IDS.value)
    detector = load_trained_detector(_CHECKPOINT_PATH.value, evaluation_proposals=_PROPOSALS.value)
    if detector.config is None:
        raise ValueError(f"{detector.path}: there is no config.json of its run beside it")
    training = detector.config.training
    split = _SPLIT.value or training.evaluation_split_name
    index = load_detection_index(_DATASET_DIR.value, split, _DROP_INVALID.value)
    if index.class_names != detector.class_names:
        raise ValueError(
            f"{_DATASET_DIR.value} has other classes than the detector was trained on: "
            f"{len(index.class_names)} ({index.class_names[0]}, ...) and "
            f"{len(detector.class_names)} ({detector.class_names[0]}, ...)"
        )
    if _IMAGE_IDS.value:
        index = index.select(read_image_ids(_IMAGE_IDS.value, index))
    results = detect_split(detector.model, training, index, _BATCH_SIZE.value, _show)
    metrics = evaluate_results(index, results)
    print(f"{detector.path}, step {detector.step}: {metrics.images} images of {index.split}")
    for name, value in metrics.summary.items():
        print(f"{name:10} {_number(value)}")
    print(f"\n{'class':20} AP      AP50")
    for name, values in metrics.per_class.items():
        print(f"{name:20} {_number(values['AP'])}  {_number(values['AP50'])}")
    if _EVAL_DIR.value:
        directory = make_directory(_EVAL_DIR.value)
        write_results(directory / RESULTS_NAME, results)
        write_metrics(directory / METRICS_NAME, metrics, index)
        print(f"wrote {RESULTS_NAME} and {METRICS_NAME} to {directory}")
    return 0


def _number(value: float) -> str:
    # COCO's -1: there is no such object.
    return f"{value:.4f}" if value >= 0 else "-     "


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else "\r"
        print(f"{done} of {total} images", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
