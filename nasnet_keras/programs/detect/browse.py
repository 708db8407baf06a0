"""Writes contact sheets of what a detector's training sees, and of what an evaluation got wrong.

  python object_detection/browse.py --dataset_dir=runs/toy --checkpoint_path=runs/det \
      --output_dir=seen
  python object_detection/browse.py --dataset_dir=runs/toy --results=runs/det/eval/results.json \
      --output_dir=wrong

With --checkpoint_path: training.png (augmented images with boxes), anchors.png and proposals.png
(what both stages would learn from). With --results, detections in COCO's format: for each class,
CLASS_false_positives.png and CLASS_misses.png, and mistakes.json with their numbers. CLASS is the
name with _ for what file names do not take, and -2 where another class has that already.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.whole_files import check_can_write, make_directory, written_whole

_DATASET_DIR = flags.DEFINE_string("dataset_dir", None, "The dataset: COCO, Pascal VOC or TFDS.")
_SPLIT = flags.DEFINE_string(
    "dataset_split_name", None, "Its split. Default: train; with --results, val."
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where to write.")
_CHECKPOINT_PATH = flags.DEFINE_string(
    "checkpoint_path", None, "A detector's run directory, or a .keras file."
)
_RESULTS = flags.DEFINE_string("results", None, "Detections on the split, as evaluate.py writes.")
_IMAGES = flags.DEFINE_integer("images", 16, "Training images to show.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Which images, and which random changes.", lower_bound=0)
_MIN_SCORE = flags.DEFINE_float("min_score", 0.3, "Detections below it are no mistakes.")
_MIN_IOU = flags.DEFINE_float("min_iou", 0.5, "Least overlap of a detection with its object.")
_DROP_INVALID = flags.DEFINE_bool("drop_invalid", False, "Go on without what is wrong.")


def main(arguments: list[str]) -> None:
    if not _DATASET_DIR.value:
        raise ValueError("--dataset_dir is missing: name the directory of the dataset")
    if not _OUTPUT_DIR.value:
        raise ValueError("--output_dir is missing: name the directory to write")
    if bool(_CHECKPOINT_PATH.value) == bool(_RESULTS.value):
        raise ValueError("name either --checkpoint_path, for what training sees, or --results")
    for name, value in (("min_score", _MIN_SCORE.value), ("min_iou", _MIN_IOU.value)):
        if not 0 <= value <= 1:
            raise ValueError(f"--{name} is in [0, 1], got {value}")
    output_dir = Path(_OUTPUT_DIR.value)
    check_can_write(output_dir / "training.png")
    import_keras_quietly()
    from nasnet_keras.detection.data import load_detection_index

    split = _SPLIT.value or ("val" if _RESULTS.value else "train")
    index = load_detection_index(_DATASET_DIR.value, split, _DROP_INVALID.value)
    if _RESULTS.value:
        show_mistakes(index, _RESULTS.value, output_dir)
    elif _CHECKPOINT_PATH.value:
        show_training(index, _CHECKPOINT_PATH.value, output_dir)


def show_training(index: Any, checkpoint_path: str, output_dir: Path) -> None:
    from nasnet_keras.detection.data import detection_batches
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.detection.visualization.contact_sheets import training_sheet
    from nasnet_keras.detection.visualization.sample_sheets import sample_sheets

    served = load_trained_detector(checkpoint_path)
    if served.model.config.classes != len(index.class_names):
        raise ValueError(
            f"{checkpoint_path} has {served.model.config.classes} classes, dataset "
            f"{index.name} has {len(index.class_names)}"
        )
    count = min(_IMAGES.value, len(index))
    stream = detection_batches(
        index,
        served.image_size,
        1,
        training=True,
        keep_aspect=served.keep_aspect,
        augmentation=served.augmentation,
        seed=_SEED.value,
    )
    batches = [batch for batch, _ in zip(stream, range(count), strict=False)]
    make_directory(output_dir)
    sheets = {"training": training_sheet(batches, index.class_names)}
    sheets |= sample_sheets(served.model, batches, index.class_names)
    for name, sheet in sheets.items():
        with written_whole(output_dir / f"{name}.png") as path:
            sheet.save(path)
    print(f"wrote training.png, anchors.png and proposals.png of {count} images to {output_dir}")


def show_mistakes(index: Any, results_path: str, output_dir: Path) -> None:
    from nasnet_keras.detection.evaluation.coco_metrics import read_results
    from nasnet_keras.detection.evaluation.mistakes import judge_detections
    from nasnet_keras.detection.visualization.contact_sheets import mistake_sheets

    results = read_results(results_path, index)
    judgement = judge_detections(index, results, _MIN_SCORE.value, _MIN_IOU.value)
    make_directory(output_dir)
    written = 0
    file_names = _file_names(index.class_names)
    for name, sheets in mistake_sheets(index, judgement).items():
        for kind, sheet in sheets.items():
            with written_whole(output_dir / f"{file_names[name]}_{kind}.png") as path:
                sheet.save(path)
            written += 1
    with written_whole(output_dir / "mistakes.json") as path:
        counts = judgement.counts(index)
        path.write_text(json.dumps(counts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {written} sheets of mistakes and mistakes.json to {output_dir}")


def _file_names(class_names: Sequence[str]) -> dict[str, str]:
    """Returns what the files of each class begin with, for each class something else."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label, name in enumerate(class_names):
        # A class may be called "N/A".
        safe = re.sub(r"[^\w\- ]", "_", name).strip().replace(" ", "_") or str(label)
        free, number = safe, 1
        # Some disks do not tell capitals from small letters.
        while free.casefold() in taken:
            number += 1
            free = f"{safe}-{number}"
        taken.add(free.casefold())
        found[name] = free
    return found


if __name__ == "__main__":
    run(main)
