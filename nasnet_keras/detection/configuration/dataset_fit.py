"""What of a configuration does not suit the objects of a dataset, before hours are spent on it."""

from __future__ import annotations

import math

import numpy as np

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.detection_index import DetectionIndex

# A few boxes of any dataset are out of the ordinary.
_MANY = 0.1
# Of two squares that share a centre, the IoU is 0.5 where the sides are as 1 to this.
_MATCHED = math.sqrt(2)


def misfits(config: TrainingConfig, *splits: DetectionIndex) -> list[str]:
    """Returns a line for each setting that will cost accuracy, with the flag that mends it.

    Args:
        config: The training.
        *splits: The images to train on, then others to detect on.
    """
    lines = [_too_few_detections(config, splits), _too_few_in_all(config, splits)]
    sides = _sides(config, splits[0])
    if len(sides):
        lines += [_anchors_of_other_sizes(config, splits[0], sides)]
        lines += [_vanishing(config, splits[0], sides)]
    if config.warmup_steps > config.steps / 2:
        lines.append(
            f"warmup_steps={config.warmup_steps} is most of the {config.steps} steps: lower "
            "--warmup_steps"
        )
    return [line for line in lines if line]


def _too_few_detections(config: TrainingConfig, splits: tuple[DetectionIndex, ...]) -> str:
    """Compares detections of a class with the most objects of one in an image."""
    most, images, where = 0, 0, ""
    limit = config.detector.detections_per_class
    for index in splits:
        places, labels = _objects(index)
        classes = len(index.class_names)
        pairs, counts = np.unique(places * classes + labels, return_counts=True)
        images += len({*(pairs[counts > limit] // classes).tolist()})
        if counts.max(initial=0) > most:
            most = int(counts.max())
            where = f"{index.class_names[pairs[counts.argmax()] % classes]!r} in {index.split}"
    if most <= limit:
        return ""
    return (
        f"{_have(images)} more objects of a class than detections_per_class={limit}, up to "
        f"{most} of {where}; the rest cannot be found: --detections_per_class={most}"
    )


def _too_few_in_all(config: TrainingConfig, splits: tuple[DetectionIndex, ...]) -> str:
    """Compares detections and proposals of an image with the most objects in one."""
    counts = np.concatenate(
        [np.bincount(_objects(index)[0], minlength=len(index)) for index in splits]
    )
    most = int(counts.max(initial=0))
    names = ("detections", "evaluation_proposals")
    limits = {name: getattr(config.detector, name) for name in names}
    low = {name: limit for name, limit in limits.items() if limit < most}
    if not low:
        return ""
    images = int(np.sum(counts > min(low.values())))
    said = " and ".join(f"{name}={limit}" for name, limit in low.items())
    flags = " ".join(f"--{name}={most}" for name in low)
    return (
        f"{_have(images)} more objects than {said}, up to {most}; the rest cannot be found: {flags}"
    )


def _anchors_of_other_sizes(
    config: TrainingConfig, index: DetectionIndex, sides: np.ndarray
) -> str:
    """Compares the sizes of boxes with those of anchors, as areas."""
    detector = config.detector
    anchors = [detector.anchor_base_size * scale for scale in detector.anchor_scales]
    sizes = np.sqrt(sides.prod(axis=1))
    below, above = sizes < min(anchors) / _MATCHED, sizes > max(anchors) * _MATCHED
    if np.mean(below | above) < _MANY:
        return ""
    least, most = np.quantile(sizes, (0.05, 0.95))
    scales = _scales(detector.anchor_scales, least / _MATCHED, most, config)
    kind = "smaller" if below.sum() > above.sum() else "larger"
    return (
        f"{np.mean(below | above):.0%} of the boxes of {index.split} have no anchor near their "
        f"size, most are {kind}: boxes of {least:.0f} to {most:.0f} pixels a side at image_size="
        f"{_size(config)}, anchors of {min(anchors):.0f} to {max(anchors):.0f}: "
        f"--anchor_scales={','.join(f'{scale:g}' for scale in scales)}"
    )


def _scales(
    scales: tuple[float, ...], least: float, most: float, config: TrainingConfig
) -> list[float]:
    """Returns scales that reach from one side to the other, each half of the next.

    Larger ones than the image are of no use: training leaves out what crosses its border.
    """
    base, limit = config.detector.anchor_base_size, min(config.detector.image_size)
    found = sorted(scales)
    while found[0] * base > least * _MATCHED:
        found.insert(0, found[0] / 2)
    while found[-1] * base * _MATCHED < most and found[-1] * base * 2 <= limit:
        found.append(found[-1] * 2)
    near = [scale for scale in found if least / 2 <= scale * base <= most * 2]
    return near or found


def _vanishing(config: TrainingConfig, index: DetectionIndex, sides: np.ndarray) -> str:
    """Counts the boxes between two positions of the features."""
    limit = config.detector.anchor_stride / 2
    fraction = np.mean(sides.min(axis=1) < limit)
    if fraction < _MANY:
        return ""
    return (
        f"{fraction:.0%} of the boxes of {index.split} are less than {limit:g} pixels wide or high "
        f"at image_size={_size(config)}, where little is seen of them: a larger --image_size"
    )


def _objects(index: DetectionIndex) -> tuple[np.ndarray, np.ndarray]:
    """Returns the image and the label of each object."""
    images = np.repeat(np.arange(len(index)), index.box_counts())
    return images[~index.crowd], index.labels[~index.crowd]


def _sides(config: TrainingConfig, index: DetectionIndex) -> np.ndarray:
    """Returns `(objects, 2)`: height and width of each in pixels of the resized image."""
    factors = np.array(config.detector.image_size) / index.sizes
    if config.keep_aspect:
        factors = np.repeat(factors.min(axis=1, keepdims=True), 2, axis=1)
    boxes = index.boxes[~index.crowd]
    return (boxes[:, 2:] - boxes[:, :2]) * factors[_objects(index)[0]]


def _have(images: int) -> str:
    return f"{images} images have" if images > 1 else "an image has"


def _size(config: TrainingConfig) -> str:
    return "x".join(map(str, config.detector.image_size))
