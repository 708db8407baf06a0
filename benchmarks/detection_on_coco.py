"""Does the detector learn COCO's images? A small one, from scratch, in minutes of one core.

`overfit` trains on the first eight images of COCO's training split and scores it on the same: the
aim is an AP50 of 0.90. `epoch` trains an epoch of a split with every random change and scores the
detector on the other split. `mobile` is `overfit` with NASNet-A mobile and the second stage in
chunks of crops, and takes several times as long. All compare the twelve numbers with pycocotools'
on the file of results.

    python benchmarks/detection_on_coco.py --dataset_dir=coco --train_dir=runs/coco
        [--what=overfit,epoch] [--steps=200] [--output=coco.json]
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path
from typing import Any

from absl import flags
from measurement import check_output, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

_DATASET_DIR = flags.DEFINE_string("dataset_dir", None, "Directory with COCO.", required=True)
_TRAIN_DIR = flags.DEFINE_string("train_dir", None, "Where the runs go.", required=True)
_WHAT = flags.DEFINE_list("what", ["overfit", "epoch"], "Of overfit, epoch and mobile.")
_STEPS = flags.DEFINE_integer("steps", 200, "Steps of overfit and mobile.", 1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")

_BATCH = 8


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    measurements = {"overfit": overfit_config, "epoch": epoch_config, "mobile": mobile_config}
    for what in _WHAT.value:
        if what not in measurements:
            raise ValueError(unknown_name("measurement", what, measurements))
    rows = []
    for what in _WHAT.value:
        rows.append({"what": what, **measure(measurements[what](), Path(_TRAIN_DIR.value) / what)})
        print(json.dumps(rows[-1], indent=2), flush=True)
        if _OUTPUT.value:
            write_json(_OUTPUT.value, rows)


def measure(config: Any, directory: Path) -> dict[str, Any]:
    from nasnet_keras.detection.evaluation.coco_metrics import RESULTS_NAME
    from nasnet_keras.detection.training.trainer import train

    began, processor = time.monotonic(), time.process_time()
    metrics = train(config, _DATASET_DIR.value, directory)
    if metrics is None:
        raise RuntimeError(f"{directory}: the run was told to stop")
    result = {
        "steps": config.steps,
        "images scored": metrics.images,
        "seconds": time.monotonic() - began,
        "processor seconds": time.process_time() - processor,
    }
    expected = pycocotools_numbers(config.evaluation_split_name, directory / RESULTS_NAME)
    ours = list(metrics.summary.values())
    difference = max(abs(a - b) for a, b in zip(ours, expected, strict=True))
    return {**result, "largest difference from pycocotools": difference, **metrics.summary}


def pycocotools_numbers(split: str, results: Path) -> list[float]:
    """Returns COCO's twelve numbers of a file of results."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from nasnet_keras.detection.data.datasets import load_detection_index

    index = load_detection_index(_DATASET_DIR.value, split)
    with contextlib.redirect_stdout(io.StringIO()):
        name = split.split("[")[0]
        path = Path(_DATASET_DIR.value) / "annotations" / f"instances_{name}2017.json"
        truth = COCO(str(path))
        evaluation = COCOeval(truth, truth.loadRes(str(results)), "bbox")
        evaluation.params.imgIds = sorted(index.image_ids.tolist())
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]


def small_config(steps: int, **values: Any) -> Any:
    """Returns the toy's detector with anchors for objects of all sizes."""
    from nasnet_keras.detection.configuration.configs import get_config

    return get_config("toy").override(
        image_size=(256, 256),
        # 16 to 256 pixels.
        anchor_base_size=64.0,
        anchor_scales=(0.25, 0.5, 1.0, 2.0, 4.0),
        anchor_aspect_ratios=(0.5, 1.0, 2.0),
        region_batch_size=128,
        training_proposals=64,
        evaluation_proposals=64,
        box_batch_size=32,
        detection_nms_iou=0.6,
        detections_per_class=20,
        detections=100,
        classes=80,
        batch_size=_BATCH,
        steps=steps,
        warmup_steps=min(50, steps // 2),
        **values,
    )


def overfit_config() -> Any:
    from nasnet_keras.detection.data.augmentation import NO_AUGMENTATION

    few = f"train[:{_BATCH}]"
    return small_config(
        _STEPS.value,
        name="overfit",
        augmentation=NO_AUGMENTATION,
        dataset_split_name=few,
        evaluation_split_name=few,
        # An epoch is one step.
        evaluate_every_epochs=100,
    )


def epoch_config() -> Any:
    from nasnet_keras.detection.data.augmentation import DetectionAugmentation
    from nasnet_keras.detection.data.datasets import load_detection_index

    return small_config(
        len(load_detection_index(_DATASET_DIR.value, "train")) // _BATCH,
        name="epoch",
        augmentation=DetectionAugmentation(flip=0.5, scale_range=(0.8, 1.25), crop=0.5),
    )


def mobile_config() -> Any:
    from nasnet_keras.detection.configuration.configs import get_config
    from nasnet_keras.detection.data.augmentation import NO_AUGMENTATION

    config = get_config("nasnet_mobile_600")
    few = f"train[:{_BATCH}]"
    return config.override(
        name="mobile",
        # The preset's 0.9997 cannot follow a run this short.
        network=config.detector.network.replace(batch_norm_momentum=0.9),
        image_size=(416, 416),
        anchor_base_size=128.0,
        train_batch_norm=True,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_boundaries=(),
        learning_rate_decay_type="cosine",
        steps=_STEPS.value,
        warmup_steps=_STEPS.value // 10,
        batch_size=4,
        box_batch_size=16,
        box_positive_fraction=0.5,
        propose_ground_truth=True,
        training_proposals=100,
        evaluation_proposals=100,
        augmentation=NO_AUGMENTATION,
        dataset_split_name=few,
        evaluation_split_name=few,
        # An epoch is two steps.
        evaluate_every_epochs=50,
    )


if __name__ == "__main__":
    run(main)
