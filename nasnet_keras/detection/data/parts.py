"""Parts of a split that have every class in proportion."""

from __future__ import annotations

import numpy as np

from nasnet_keras.data.sources.split import Split
from nasnet_keras.data.sources.stratified import stratified_order, stratified_splits
from nasnet_keras.detection.data.detection_index import DetectionIndex

ALL = "all"
"""Name of the only split of a dataset that is not divided into any."""


def divided(index: DetectionIndex) -> dict[str, DetectionIndex]:
    """Divides images into `train`, `val` and `test`, see `stratified_splits`."""
    parts = stratified_splits(_rarest_class(index))
    return {name: index.take(sorted(places)) for name, places in parts.items()}


def in_proportion(index: DetectionIndex, split: Split) -> DetectionIndex:
    """Returns a part in percent, such as `train[:80%]`; parts that do not overlap share no image.

    Raises:
        ValueError: The part is empty.
    """
    start, stop = split.range(len(index))
    return index.take(sorted(stratified_order(_rarest_class(index))[start:stop]))


def _rarest_class(index: DetectionIndex) -> list[int]:
    """Returns for each image the class on it that the fewest images have, -1 without objects."""
    images = np.repeat(np.arange(len(index)), index.box_counts())
    pairs = np.unique(np.stack([images, index.labels], axis=1)[~index.crowd], axis=0)
    counts = np.bincount(pairs[:, 1], minlength=len(index.class_names))
    rarest = np.full(len(index), -1)
    # The last written stays: the rarest.
    for image, label in pairs[np.argsort(-counts[pairs[:, 1]], kind="stable")]:
        rarest[image] = label
    return rarest.tolist()
