"""A detection dataset by its directory, whatever its layout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nasnet_keras.data.check.unreadable import drop_unreadable
from nasnet_keras.data.sources.dataset_format import find_format
from nasnet_keras.detection.data.coco_files import CocoDirectory
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.tfds_boxes import TfdsBoxes
from nasnet_keras.detection.data.voc_files import VocDirectory

# A directory is in the first of these formats that it is found in.
FORMATS: tuple[type[DetectionFormat], ...] = (TfdsBoxes, CocoDirectory, VocDirectory)


def load_detection_index(
    dataset_dir: str | os.PathLike[str],
    split: str,
    drop_invalid: bool = False,
    class_names: Sequence[str] | None = None,
    proportional: bool = True,
    exif_orientation: bool = True,
) -> DetectionIndex:
    """Reads a split of a dataset in COCO's, Pascal VOC's or TFDS's layout.

    Args:
        dataset_dir: COCO: the layouts that `coco_layouts` lists, of COCO itself, CVAT, Roboflow and
            Label Studio. Pascal VOC: those that `voc_layouts` lists, with lists of images or
            without. TFDS: it holds `coco/2017/1.1.0`, or is a prepared dataset's own directory.
        split: A split or a part of one, e.g. `"train"`, `"val"`, `"train[:90%]"`. `val`, `valid`
            and `validation` are one. A dataset without splits is `"all"`, and is divided into
            `train`, `val` and `test`, see `stratified_splits`.
        drop_invalid: Decode every image file, and leave out and count what is wrong.
        class_names: The classes in the order of the labels, e.g. those that a detector was trained
            on. Default: those of the dataset, in VOC those of its training split.
        proportional: Whether parts in percent have each class in proportion, or are consecutive
            images, as TFDS's always are.
        exif_orientation: Turn images upright, as their EXIF orientation says, unless they are
            annotated as stored; TFDS's are always as stored.

    Returns:
        The index.

    Raises:
        FileNotFoundError: The directory is missing.
        ValueError: The layout or split is unknown.
        AnnotationError: Something is wrong with the annotations or the images.
    """
    root = Path(dataset_dir)
    if not root.is_dir():
        raise FileNotFoundError(2, "the dataset's directory is missing", str(root))
    found = find_format(FORMATS, root)
    if found is None:
        layouts = ", nor ".join(each.layout for each in FORMATS)
        raise ValueError(f"{root} holds no detection dataset: neither {layouts}")
    found = replace(found, exif_orientation=exif_orientation)
    index = found.read(found.parse(split), drop_invalid, class_names, proportional)
    return _decodable(index) if drop_invalid else index


def _decodable(index: DetectionIndex) -> DetectionIndex:
    """Returns an index without the images that cannot be decoded, which it counts."""
    kept = drop_unreadable(index)
    return replace(
        kept,
        dropped_images=index.dropped_images + len(index) - len(kept),
        dropped_boxes=index.dropped_boxes + len(index.boxes) - len(kept.boxes),
    )
