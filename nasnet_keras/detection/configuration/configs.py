"""The detectors by name: what each training is, what it reaches and what it costs."""

from __future__ import annotations

import inspect
import os

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.genotypes import Block, Branch, CellGenotype, Genotype
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.preset_config import cell_config
from nasnet_keras.settings import read_settings
from nasnet_keras.text.suggestions import unknown_name

# The original gives no end; its learning rate falls for the last time at 1,200,000.
_COCO_STEPS = 1_500_000


def _on_coco(name: str, network: str, side: int, evaluation_proposals: int = 300) -> TrainingConfig:
    # TensorFlow's checkpoints of the classifiers are the only start that reaches the papers'
    # figures; all else is the defaults of `DetectorConfig`.
    detector = DetectorConfig(
        cell_config(network),
        image_size=(side, side),
        evaluation_proposals=evaluation_proposals,
    )
    return TrainingConfig(name, detector, _COCO_STEPS, batch_size=1)


def nasnet_mobile_600() -> TrainingConfig:
    """Faster R-CNN on NASNet-A (4 @ 1056) at 600x600, as in Zoph et al. 2018.

    Result: published 29.6 mAP on COCO's mini-val (table 4). Not measured here.
    Cost: 1,500,000 steps of an image on each accelerator; 4.27 million parameters without heads. On
    two CPU cores it detects in 0.99 images a second, in 1.18 GiB (docs/results.md).
    Command: `python object_detection/train.py --config=nasnet_mobile_600 --dataset_dir=coco
    --train_dir=runs/mobile --checkpoint_path=<ImageNet's weights>`
    """
    return _on_coco("nasnet_mobile_600", "nasnet_mobile", 600)


def nasnet_large_800() -> TrainingConfig:
    """Faster R-CNN on NASNet-A (6 @ 4032) at 800x800, as in Zoph et al. 2018.

    Result: published 41.3 mAP on COCO's mini-val, 40.7 on test-dev (table 4). Not measured here.
    Cost: for an image 86 billion multiply-adds in the first stage and 5.79 billion a proposal: 1.74
    trillion for 300; 84.9 million parameters without heads.
    Command: `python object_detection/train.py --config=nasnet_large_800 --dataset_dir=coco
    --train_dir=runs/large --checkpoint_path=<ImageNet's weights>`
    """
    return _on_coco("nasnet_large_800", "nasnet_large", 800)


def nasnet_large_1200() -> TrainingConfig:
    """Faster R-CNN on NASNet-A (6 @ 4032) at 1200x1200, as in Zoph et al. 2018.

    Result: published 43.2 mAP on COCO's mini-val, 43.1 on test-dev (table 4). Not measured here.
    Cost: as nasnet_large_800, with 2.25 times as many pixels in the first stage.
    Command: `python object_detection/train.py --config=nasnet_large_1200 --dataset_dir=coco
    --train_dir=runs/large --checkpoint_path=<ImageNet's weights>`
    """
    return _on_coco("nasnet_large_1200", "nasnet_large", 1200)


def nasnet_large_1200_lowproposals() -> TrainingConfig:
    """nasnet_large_1200 that looks at 50 proposals an image when it detects, not 300.

    Result: none published. Not measured here.
    Cost: a sixth of the second stage's 1.74 trillion multiply-adds: an image in 3.9 seconds on two
    CPU cores, in 2.21 GiB (docs/results.md). Trained as nasnet_large_1200, whose checkpoints it
    takes.
    Command: `python object_detection/train.py --config=nasnet_large_1200_lowproposals
    --dataset_dir=coco --train_dir=runs/low --checkpoint_path=<ImageNet's weights>`
    """
    return _on_coco("nasnet_large_1200_lowproposals", "nasnet_large", 1200, 50)


def pnasnet_large_1200() -> TrainingConfig:
    """Faster R-CNN on PNASNet-5 large at 1200x1200.

    Result: none published; the original has the feature extractor only. Not measured here.
    Cost: features of 4,320 channels, otherwise as nasnet_large_1200.
    Command: `python object_detection/train.py --config=pnasnet_large_1200 --dataset_dir=coco
    --train_dir=runs/pnasnet --checkpoint_path=<ImageNet's weights>`
    """
    return _on_coco("pnasnet_large_1200", "pnasnet_large", 1200)


# A cell of five convolutions in place of a published one's many: it is compiled in seconds.
_TOY_CELL = CellGenotype(
    (
        Block(Branch("separable_3x3", 0), Branch("separable_3x3", 1)),
        Block(Branch("separable_5x5", 0), Branch("identity", 0)),
    ),
    concat=(2, 3),
)


def toy() -> TrainingConfig:
    """A small detector from scratch on digits pasted on photographs: the whole method in minutes.

    Result: AP50 0.84 and AP 0.60 on the 200 images held out (docs/results.md).
    Cost: 0.18 CPU seconds a step of 8 images, a quarter of an hour of one core for 5,000 steps;
    580,000 parameters.
    Command: `python object_detection/make_toy_dataset.py --output_dir=runs/toy && python
    object_detection/train.py --config=toy --dataset_dir=runs/toy --train_dir=runs/det`
    """
    network = NetworkConfig(
        Genotype("toy", _TOY_CELL, _TOY_CELL),
        num_cells=3,
        filters=32,
        stem="imagenet",
        stem_filters=16,
        # A run of minutes has few steps to learn the statistics in.
        batch_norm_momentum=0.95,
    )
    detector = DetectorConfig(
        network,
        classes=10,
        image_size=(160, 160),
        anchor_base_size=48.0,
        anchor_scales=(0.5, 0.75, 1.0, 1.5),
        anchor_aspect_ratios=(0.5, 1.0),
        region_filters=64,
        # At 16 pixels from anchor to anchor, few boxes as small as these overlap one by 0.7.
        region_positive_iou=0.6,
        region_batch_size=64,
        region_nms_iou=0.6,
        training_proposals=32,
        evaluation_proposals=32,
        propose_ground_truth=True,
        box_batch_size=16,
        box_positive_fraction=0.5,
        crop_size=7,
        crops_per_chunk=None,
        training_crops_per_chunk=None,
        detection_nms_iou=0.4,
        detections_per_class=10,
        detections=20,
        train_batch_norm=True,
    )
    return TrainingConfig(
        "toy",
        detector,
        steps=5000,
        batch_size=8,
        optimizer="adam",
        learning_rate=3e-3,
        learning_rate_decay_type="cosine",
        warmup_steps=100,
        # A mirrored digit is another one.
        augmentation=DetectionAugmentation(flip=0.0, scale_range=(0.9, 1.1)),
        evaluate_every_epochs=5,
    )


_CONFIGS = {
    config.__name__: config
    for config in (
        nasnet_mobile_600,
        nasnet_large_800,
        nasnet_large_1200,
        nasnet_large_1200_lowproposals,
        pnasnet_large_1200,
        toy,
    )
}


def list_configs() -> list[str]:
    """Returns the names of the configurations."""
    return list(_CONFIGS)


def get_config(name: str | os.PathLike[str]) -> TrainingConfig:
    """Returns a configuration by its name, or the user's own.

    Args:
        name: A name of `list_configs()`, or a JSON file with a `TrainingConfig.to_dict()`.

    Raises:
        OSError: The file cannot be read.
        ValueError: The name is unknown (the nearest is suggested), or the file is invalid.
    """
    name = os.fspath(name)
    if name in _CONFIGS:
        return _CONFIGS[name]()
    if not name.endswith(".json"):
        raise ValueError(unknown_name("configuration", name, _CONFIGS))
    return read_settings(TrainingConfig, name)


def describe_configs() -> str:
    """Returns every configuration's docstring and values as text."""
    parts = []
    for name, function in _CONFIGS.items():
        config = function()
        parts.append(f"{name}: {inspect.getdoc(function)}\n")
        values = {k: v for k, v in config.to_dict().items() if k not in ("name", "detector")}
        detector = {k: v for k, v in config.detector.to_dict().items() if k != "network"}
        network = {k: v for k, v in config.detector.to_dict()["network"].items() if k != "genotype"}
        for title, settings in (("", values), ("detector", detector), ("network", network)):
            parts.extend([f"  {title}:"] if title else [])
            width = max(map(len, settings))
            indent = "    " if title else "  "
            parts.extend(f"{indent}{field:{width}}  {value}" for field, value in settings.items())
        parts.append("")
    return "\n".join(parts).rstrip()
