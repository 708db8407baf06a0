"""Evaluates a trained detector as COCO does: the twelve metrics and each class's AP.

  nasnet-keras detect eval --checkpoint_path=runs/det --dataset_dir=runs/toy

Training evaluates a run already; this is for other splits, lists of images and files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.data_problems import problems_listed
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Count, NonNegative, Settings
from nasnet_keras.text.plain_text import printable, say


@dataclass(frozen=True)
class Flags(Settings):
    """What is evaluated, and on what.

    Attributes:
        checkpoint_path: A run directory, whose best detector is evaluated, or a .keras file in one;
            a published detector, e.g. coco:nasnet_large_1200_lowproposals; or an original one:
            archive, its directory, checkpoint or frozen graph.
        dataset_dir: Directory of the dataset, in COCO's, Pascal VOC's or TFDS's format.
        config: Name of the configuration that an original detector is of, or a JSON file with one.
            Default: told by the name of a published archive or its directory.
        class_names: Names of the detector's classes with commas between, or a file with one a line,
            as the dataset has them. Default: the run's. An original detector's are then the
            dataset's by name; otherwise by id, unless the names of COCO's classes contradict that.
        split: The split. Default: the run's.
        image_ids: File with the names or ids of the images, one a line, e.g. a mini-val.
        eval_dir: Where to write results.json and metrics.json. Default: nowhere.
        batch_size: Images in a batch. Default: as in training.
        evaluation_proposals: Proposals in an image. Default: the run's.
        exif_orientation: Turn images upright, as their EXIF orientation says, unless they are
            annotated as stored. Default: as in training.
        check_secs: Seconds to spend in advance on decoding your own image files; 0: none.
        drop_invalid: Decode all images, and skip those and the boxes that are invalid.
    """

    checkpoint_path: str
    dataset_dir: str
    config: str | None = None
    class_names: str | None = None
    split: str | None = None
    image_ids: str | None = None
    eval_dir: str | None = None
    batch_size: Count | None = None
    evaluation_proposals: Count | None = None
    check_secs: NonNegative = 30.0
    exif_orientation: bool | None = None
    drop_invalid: bool = False


def main(flags: Flags) -> None:
    import_keras_quietly()
    from nasnet_keras.data.check.unreadable import refuse_unreadable
    from nasnet_keras.detection.data.class_names import read_class_names
    from nasnet_keras.detection.data.image_lists import read_image_ids
    from nasnet_keras.detection.evaluation.coco_metrics import (
        METRICS_NAME,
        RESULTS_NAME,
        evaluate_results,
        write_scores,
    )
    from nasnet_keras.detection.evaluation.detecting import detect_split
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector
    from nasnet_keras.files.atomic_files import check_can_write, make_directory

    if flags.eval_dir:
        check_can_write(Path(flags.eval_dir) / RESULTS_NAME)
    if flags.image_ids and not Path(flags.image_ids).is_file():
        raise FileNotFoundError(2, "the list of images is missing", flags.image_ids)
    detector = load_trained_detector(
        flags.checkpoint_path,
        read_class_names(flags.class_names) if flags.class_names else None,
        evaluation_proposals=flags.evaluation_proposals,
        exif_orientation=flags.exif_orientation,
        config=flags.config,
    )
    if detector.config is None:
        raise ValueError(f"{detector.path}: its directory has no config.json of a run")
    training = detector.config.training
    with problems_listed(flags.dataset_dir):
        index, ids = _open_split(flags, detector)
        if not flags.drop_invalid:
            refuse_unreadable([index], flags.check_secs)
    for remark in index.remarks():
        print(remark)
    if flags.image_ids:
        index = index.select(read_image_ids(flags.image_ids, index))
    with problems_listed(flags.dataset_dir):
        results = detect_split(detector.model, training, index, flags.batch_size, _show, ids)
    metrics = evaluate_results(index, results)
    say(f"{detector.path}, step {detector.step}: {metrics.images} images of {index.split}")
    for name, value in metrics.summary.items():
        say(f"{name:10} {_formatted(value)}")
    say(f"\n{'class':20} AP      AP50")
    for name, values in metrics.per_class.items():
        say(f"{printable(name):20} {_formatted(values['AP'])}  {_formatted(values['AP50'])}")
    if flags.eval_dir:
        directory = make_directory(flags.eval_dir)
        write_scores(directory, index, metrics, results)
        say(f"wrote {RESULTS_NAME} and {METRICS_NAME} to {directory}")


def _open_split(flags: Flags, detector: Any) -> tuple[Any, Sequence[int] | None]:
    """Returns the images, and the ids there of an original detector's classes."""
    from nasnet_keras.detection.data.datasets import load_detection_index
    from nasnet_keras.detection.evaluation.dataset_classes import has_other_ids, ids_by_name
    from nasnet_keras.detection.inference.trained_detector import is_original

    def read(class_names: Sequence[str] | None) -> Any:
        return load_detection_index(
            flags.dataset_dir,
            flags.split or detector.config.training.evaluation_split_name,
            flags.drop_invalid,
            class_names,
            detector.config.proportional_parts,
            detector.exif_orientation,
        )

    names, ids = detector.class_names, detector.category_ids
    if not is_original(flags.checkpoint_path):
        return read(names), None
    # Its ids may be any of the dataset's.
    index = read(None)
    if not flags.class_names and not has_other_ids(index, names, ids):
        return index, ids
    if flags.drop_invalid:
        index = read([name for name in index.class_names if name in names])
    return index, ids_by_name(index, names)


def _formatted(value: float) -> str:
    # COCO's -1: there are no such objects.
    return f"{value:.4f}" if value >= 0 else "-     "


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else "\r"
        print(f"{done} of {total} images", end=end, file=sys.stderr, flush=True)


PROGRAM = Program(main, (Flags,))
