r"""Writes contact sheets of a detector's training examples, or of an evaluation's mistakes.

  nasnet-keras detect browse --dataset_dir=runs/toy --checkpoint_path=runs/det \
      --output_dir=seen
  nasnet-keras detect browse --dataset_dir=runs/toy --results=runs/det/eval/results.json \
      --output_dir=wrong

With --checkpoint_path: training.png (augmented images with boxes), anchors.png and proposals.png
(the samples that both stages learn from). With --results, detections in COCO's format: for each
class, CLASS_false_positives.png and CLASS_misses.png, and mistakes.json with their counts. CLASS is
the name with _ for characters that do not suit file names, and -2 if that is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.files.atomic_files import atomic_write, check_can_write, make_directory
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.data_problems import problems_listed
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Count, Fraction, Seed, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True)
class Flags(Settings):
    """What is shown, and where.

    Attributes:
        dataset_dir: The dataset: COCO, Pascal VOC or TFDS.
        output_dir: Where to write.
        dataset_split_name: The split. Default: train; with --results, val.
        checkpoint_path: A detector's run directory, or a .keras file.
        results: Detections on the split, as written by the evaluation.
        class_names: With --results: names of the classes with commas between, or a file with one a
            line, where the training was given some. Default: the dataset's.
        images: Training images to show.
        seed: Seed of the choice of images and of the augmentation.
        min_score: Detections with a lower score are ignored.
        min_iou: Minimum overlap of a detection with its object.
        exif_orientation: Turn images upright, as their EXIF orientation says, unless they are
            annotated as stored. Default: as in training; with --results, true.
        drop_invalid: Decode all images, and skip those and the boxes that are invalid.
    """

    dataset_dir: str
    output_dir: str
    dataset_split_name: str | None = None
    checkpoint_path: str | None = None
    results: str | None = None
    class_names: str | None = None
    images: Count = 16
    seed: Seed = 0
    min_score: Fraction = 0.3
    min_iou: Fraction = 0.5
    exif_orientation: bool | None = None
    drop_invalid: bool = False


def main(flags: Flags) -> None:
    if bool(flags.checkpoint_path) == bool(flags.results):
        raise ValueError("give either --checkpoint_path, for training examples, or --results")
    check_can_write(Path(flags.output_dir) / "training.png")
    import_keras_quietly()
    with problems_listed(flags.dataset_dir):
        if flags.results:
            show_mistakes(flags, flags.results)
        elif flags.checkpoint_path:
            show_training(flags, flags.checkpoint_path)


def show_training(flags: Flags, checkpoint_path: str) -> None:
    from nasnet_keras.detection.data import detection_batches, load_detection_index
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.detection.visualization.contact_sheets import training_sheet
    from nasnet_keras.detection.visualization.sample_sheets import sample_sheets

    served = load_trained_detector(checkpoint_path, exif_orientation=flags.exif_orientation)
    split = flags.dataset_split_name or "train"
    # Without its run, a detector does not know the names.
    names = served.class_names if served.config else None
    index = load_detection_index(
        *(flags.dataset_dir, split, flags.drop_invalid, names),
        exif_orientation=served.exif_orientation,
    )
    if served.model.config.classes != len(index.class_names):
        raise ValueError(
            f"{checkpoint_path} has {served.model.config.classes} classes, dataset "
            f"{index.name} has {len(index.class_names)}"
        )
    count = min(flags.images, len(index))
    stream = detection_batches(
        index,
        served.image_size,
        1,
        training=True,
        keep_aspect=served.keep_aspect,
        augmentation=served.augmentation,
        seed=flags.seed,
    )
    batches = [batch for batch, _ in zip(stream, range(count), strict=False)]
    output_dir = make_directory(flags.output_dir)
    sheets = {"training": training_sheet(batches, index.class_names)}
    sheets |= sample_sheets(served.model, batches, index.class_names)
    for name, sheet in sheets.items():
        with atomic_write(output_dir / f"{name}.png") as path:
            sheet.save(path)
    say(f"wrote training.png, anchors.png and proposals.png of {count} images to {output_dir}")


def show_mistakes(flags: Flags, results_path: str) -> None:
    from nasnet_keras.detection.data import load_detection_index
    from nasnet_keras.detection.data.class_names import read_class_names
    from nasnet_keras.detection.evaluation.coco_metrics import read_results
    from nasnet_keras.detection.evaluation.mistakes import judge_detections
    from nasnet_keras.detection.visualization.contact_sheets import mistake_sheets

    split = flags.dataset_split_name or "val"
    names = read_class_names(flags.class_names) if flags.class_names else None
    index = load_detection_index(
        *(flags.dataset_dir, split, flags.drop_invalid, names),
        exif_orientation=flags.exif_orientation is not False,
    )
    results = read_results(results_path, index)
    judgement = judge_detections(index, results, flags.min_score, flags.min_iou)
    output_dir = make_directory(flags.output_dir)
    written = 0
    file_names = _file_names(index.class_names)
    for name, sheets in mistake_sheets(index, judgement).items():
        for kind, sheet in sheets.items():
            with atomic_write(output_dir / f"{file_names[name]}_{kind}.png") as path:
                sheet.save(path)
            written += 1
    with atomic_write(output_dir / "mistakes.json") as path:
        counts = judgement.counts(index)
        path.write_text(json.dumps(counts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"wrote {written} sheets of mistakes and mistakes.json to {output_dir}")


def _file_names(class_names: Sequence[str]) -> dict[str, str]:
    """Returns a unique file name stem for each class."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label, name in enumerate(class_names):
        # A class may be called "N/A".
        safe = re.sub(r"[^\w\- ]", "_", name).strip().replace(" ", "_") or str(label)
        free, number = safe, 1
        # Some file systems are case-insensitive.
        while free.casefold() in taken:
            number += 1
            free = f"{safe}-{number}"
        taken.add(free.casefold())
        found[name] = free
    return found


PROGRAM = Program(main, (Flags,))
