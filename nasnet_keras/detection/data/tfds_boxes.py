"""Detection datasets that TensorFlow Datasets prepared, `coco/2017` above all, read without it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.sources.split import Split
from nasnet_keras.data.sources.tfds_files import TfdsFiles
from nasnet_keras.data.sources.tfrecord import parse_example
from nasnet_keras.detection.data.annotation_checks import build_index
from nasnet_keras.detection.data.class_names import ids_of_classes
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import COCO_CATEGORY_IDS, DetectionIndex
from nasnet_keras.detection.data.image_headers import image_header
from nasnet_keras.detection.data.source_images import SourceBox, SourceImage


class TfdsBoxes(DetectionFormat):
    """A prepared dataset with the features `image` and `objects` (`bbox`, `label`)."""

    layout = "coco/2017 (TensorFlow Datasets)"

    @classmethod
    def find(cls, root: Path, name: str = "") -> TfdsBoxes | None:
        """Finds `coco/2017` in TFDS's data_dir, or what is in a dataset's own directory."""
        files = TfdsFiles.find(root, "coco/2017") or TfdsFiles.find(root)
        return files and cls(str(root), files.root)

    @property
    def files(self) -> TfdsFiles:
        """Its record files."""
        return TfdsFiles(self.name, self.root)

    def own_splits(self) -> list[str]:
        return self.files.splits()

    def splits(self) -> list[str]:
        return self.own_splits()

    def read_split(
        self, name: str, drop_invalid: bool = False, class_names: Sequence[str] | None = None
    ) -> DetectionIndex:
        return self.read(Split(name), drop_invalid, class_names)

    def read(
        self,
        split: Split,
        drop_invalid: bool = False,
        class_names: Sequence[str] | None = None,
        proportional: bool = False,
    ) -> DetectionIndex:
        """Reads all records once, to index each image's place in them for random access.

        Parts are consecutive images, as TFDS has them.
        """
        name = self.files.info()["name"]
        classes, has_crowds = self._classes(name)
        images: list[SourceImage] = []
        records = self.files.records(split, classes, "image", "").records()
        for image_id, (path, record_index, start, record) in enumerate(records, 1):
            where = f"{path.name}: record {record_index}"
            try:
                image = _image(record, start, path, image_id, where, has_crowds)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"dataset {name}: {path}, {where} is damaged") from error
            for box in image.boxes:
                is_known = type(box.category) is int and 0 <= box.category < len(classes)
                box.category = classes[box.category] if is_known else box.category
            images.append(image)
        coco = name == "coco" and len(classes) == len(COCO_CATEGORY_IDS)
        own_ids = COCO_CATEGORY_IDS if coco else range(1, len(classes) + 1)
        ids = dict(zip(classes, own_ids, strict=True))
        wanted = tuple(class_names or classes)
        return build_index(
            name=name,
            split=str(split),
            class_names=wanted,
            category_ids=ids_of_classes(wanted, ids),
            images=images,
            drop_invalid=drop_invalid,
        )

    def _classes(self, name: str) -> tuple[tuple[str, ...], bool]:
        """Returns the names of the classes, and whether the boxes say which are crowds."""
        features = self.files.features()
        parts = features.get("objects", {}).get("sequence", {}).get("feature", {})
        parts = parts.get("featuresDict", {}).get("features", {})
        box = parts.get("bbox", {}).get("boundingBox")
        if "image" not in features or "classLabel" not in parts.get("label", {}) or box is None:
            raise ValueError(f"dataset {name} in {self.root} is not one of images with boxes")
        form = box.get("bboxFormat", "REL_YXYX")
        if form != "REL_YXYX":
            raise ValueError(f"dataset {name} in {self.root} has boxes as {form}, not REL_YXYX")
        return self.files.label_names("objects-label", parts["label"]), "is_crowd" in parts


def read_tfds_boxes(directory: Path, split: str, drop_invalid: bool = False) -> DetectionIndex:
    """Reads a split of a dataset of images with boxes that TFDS prepared.

    Args:
        directory: Its directory, with `dataset_info.json`.
        split: A split or a part of one, e.g. `"train"`, `"validation"`, `"train[:90%]"`.
        drop_invalid: Leave out and count what is wrong.

    Returns:
        The index. COCO's 80 classes have COCO's own category ids, others count from 1.

    Raises:
        OSError: A file of the split is missing.
        ValueError: The split is unknown, or something is wrong with the dataset.
    """
    found = TfdsBoxes(str(directory), directory)
    return found.read(found.parse(split), drop_invalid)


def _image(
    record: bytes, start: int, path: Path, image_id: int, where: str, has_crowds: bool
) -> SourceImage:
    values: dict[str, Any] = parse_example(record)
    (encoded,) = values["image"]
    header = image_header(io.BytesIO(encoded), path)
    if not isinstance(header, str):
        # As the original pipelines read it.
        header = (*header[:2], UPRIGHT)
    # Without a size the image is the problem, and its boxes are only counted.
    height, width = (1, 1) if isinstance(header, str) else header[:2]
    name = values["image/filename"][0].decode() if values.get("image/filename") else where
    edges = values.get("objects/bbox", [])
    labels = values.get("objects/label", [])
    # Not every dataset has ids of its own for the boxes.
    ids = values.get("objects/id") or [None] * len(labels)
    areas = values.get("objects/area") or [None] * len(labels)
    crowds = values["objects/is_crowd"] if has_crowds else [0] * len(labels)
    image = SourceImage(
        id=values["image/id"][0] if values.get("image/id") else image_id,
        name=name,
        path=path,
        size=None,
        where=f"{where} ({name})",
        span=(start + record.index(encoded), len(encoded)),
        header=header,
    )
    corners = [edges[first:last] for first, last in pairwise(range(0, len(edges) + 1, 4))]
    for place, (box, label, box_id, area, crowd) in enumerate(
        zip(corners, labels, ids, areas, crowds, strict=True)
    ):
        top, bottom = box[0] * height, box[2] * height
        left, right = box[1] * width, box[3] * width
        image.boxes.append(
            SourceBox(
                id=box_id,
                category=label,
                box=(left, top, right - left, bottom - top),
                crowd=crowd,
                area=area,
                where=f"{where}, object {place} ({name})",
            )
        )
    return image
