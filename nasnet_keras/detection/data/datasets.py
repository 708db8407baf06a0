"""A detection dataset by its directory, whatever its layout."""

from __future__ import annotations

import os
from pathlib import Path

from nasnet_keras.data.sources.split import parse_split
from nasnet_keras.data.sources.tfds_files import find_tfds, tfds_splits
from nasnet_keras.detection.data.coco_files import find_coco, read_coco_directory
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.tfds_boxes import read_tfds_boxes
from nasnet_keras.detection.data.voc_files import find_voc, read_voc


def load_detection_index(
    dataset_dir: str | os.PathLike[str], split: str, drop_invalid: bool = False
) -> DetectionIndex:
    """Reads a split of a dataset in COCO's, Pascal VOC's or TFDS's layout.

    Args:
        dataset_dir: COCO: it holds `annotations/instances_train2017.json` and `train2017/`, another
            year or none included. Pascal VOC: it holds `JPEGImages`, `Annotations` and `ImageSets`.
            TFDS: it holds `coco/2017/1.1.0`, or is a prepared dataset's own directory.
        split: A split or a part of one, e.g. `"train"`, `"val"`, `"train[:90%]"`. Where TFDS says
            `validation`, `val` does as well.
        drop_invalid: Leave out and count what is wrong.

    Returns:
        The index.

    Raises:
        FileNotFoundError: The directory is missing.
        ValueError: It has no such layout or split.
        AnnotationError: Something is wrong with the annotations or the images.
    """
    root = Path(dataset_dir)
    if not root.is_dir():
        raise FileNotFoundError(2, "the dataset's directory is missing", str(root))
    prepared = find_tfds("coco/2017", root) or _own_tfds(root)
    if prepared is not None:
        if "validation" in tfds_splits(prepared):
            split = "validation" + split[3:] if split.split("[")[0] == "val" else split
        return read_tfds_boxes(prepared, split, drop_invalid)
    coco, voc = find_coco(root), find_voc(root)
    if not coco and not voc:
        raise ValueError(
            f"{root} holds no detection dataset: neither annotations/instances_*.json (COCO), nor "
            "ImageSets/Main (Pascal VOC), nor coco/2017 (TensorFlow Datasets)"
        )
    wanted = parse_split(split, str(root), coco or voc)
    if coco:
        whole = read_coco_directory(root, wanted.name, drop_invalid)
    else:
        whole = read_voc(root, wanted.name, drop_invalid=drop_invalid)
    return whole.part(*wanted.range(len(whole)))


def _own_tfds(root: Path) -> Path | None:
    return root if (root / "dataset_info.json").exists() else None
