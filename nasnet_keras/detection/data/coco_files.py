"""COCO's annotation files (`instances_*.json`), and any others in their format."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from nasnet_keras.detection.data.annotation_checks import build_index
from nasnet_keras.detection.data.class_names import ids_of_classes
from nasnet_keras.detection.data.coco_layouts import find_annotations, image_folder, spelled
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.source_images import SourceBox, SourceImage
from nasnet_keras.detection.data.source_values import image_sides, number, whole_number
from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.text.plain_text import shown

# What is not below the folder of the images: absolute paths, Windows' too, and addresses.
_ELSEWHERE = re.compile(r"/|[A-Za-z][\w+.-]*:/")


class CocoDirectory(DetectionFormat):
    """A directory with annotation files in COCO's format, in a layout of `coco_layouts`."""

    layout = "annotations/instances_*.json (COCO) or <split>/_annotations.coco.json (Roboflow)"

    @cached_property
    def files(self) -> dict[str, Path]:
        """The annotation file of each split."""
        return find_annotations(self.root)

    def own_splits(self) -> list[str]:
        return list(self.files)

    def read_split(
        self, name: str, drop_invalid: bool = False, class_names: Sequence[str] | None = None
    ) -> DetectionIndex:
        return _read(
            *(self.files[name], None, self.root, name, drop_invalid, class_names),
            self.exif_orientation,
        )


def read_coco_directory(
    dataset_dir: str | os.PathLike[str], split: str, drop_invalid: bool = False
) -> DetectionIndex:
    """Reads a split of a directory laid out as COCO's.

    Args:
        dataset_dir: See `CocoDirectory`.
        split: A split or a part of one: `"train"`, `"val"`, `"val[:90%]"`, ...
        drop_invalid: Leave out and count what is wrong.

    Raises:
        ValueError: The split is unknown, or something is wrong with the annotations.
    """
    found = CocoDirectory.find(Path(dataset_dir))
    if found is None:
        raise ValueError(f"{os.fspath(dataset_dir)} has no {CocoDirectory.layout}")
    return found.read(found.parse(split), drop_invalid)


def read_coco(
    annotations: str | os.PathLike[str],
    image_dir: str | os.PathLike[str],
    split: str | None = None,
    drop_invalid: bool = False,
    class_names: Sequence[str] | None = None,
    exif_orientation: bool = True,
) -> DetectionIndex:
    """Reads an annotation file in COCO's format, of whatever classes.

    Outlines and captions are passed over. A category that only groups others, as Roboflow writes it
    (another one has its name as `supercategory`, and no annotation is of it), is left out.

    Args:
        annotations: The JSON file.
        image_dir: Folder that its file names start from.
        split: Name for the split; by default, the name of the file.
        drop_invalid: Leave out and count what is wrong.
        class_names: The classes in the order of the labels. By default the categories in the order
            of their ids, without gaps.
        exif_orientation: See `load_detection_index`.

    Returns:
        The index.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not in COCO's format.
        AnnotationError: Something is wrong with the annotations or the images.
    """
    path = Path(annotations)
    root = path.parent.parent if path.parent.name == "annotations" else path.with_suffix("")
    return _read(
        *(path, Path(image_dir), root, split or path.stem, drop_invalid, class_names),
        exif_orientation,
    )


def _read(
    path: Path,
    image_dir: Path | None,
    root: Path,
    split: str,
    drop_invalid: bool,
    class_names: Sequence[str] | None,
    exif_orientation: bool,
) -> DetectionIndex:
    content = _load(path)
    called = f"{split}/{path.name}" if path.parent.name == split else path.name
    categories, groups = _categories(content, path)
    names = [str(entry.get("file_name", "")) for entry in content["images"]]
    if image_dir is None:
        image_dir = image_folder(root, path, [name for name in map(_below, names) if name])
    problems: list[str] = []
    images: list[SourceImage] = []
    by_id: dict[Any, SourceImage] = {}
    for name, entry in zip(names, content["images"], strict=True):
        image_id = whole_number(entry.get("id"))
        image = SourceImage(
            id=image_id,
            name=name,
            path=_image_path(image_dir, name),
            size=image_sides(entry.get("height"), entry.get("width")),
            where=f"{called}: image {image_id!r} ({name})",
        )
        images.append(image)
        # For a dictionary, true is 1. Of text that is no number, the image itself tells.
        if type(image_id) in (int, str):
            by_id.setdefault(image_id, image)
    lost = 0
    for entry in content["annotations"]:
        box_id, image_id = whole_number(entry.get("id")), whole_number(entry.get("image_id"))
        where = f"{called}: annotation {box_id!r}"
        image = by_id.get(image_id) if type(image_id) in (int, str) else None
        if image is None:
            problems.append(f"{where}: there is no image with id {shown(image_id)}")
            lost += 1
            continue
        category = whole_number(entry.get("category_id"))
        box = entry.get("bbox")
        image.boxes.append(
            SourceBox(
                id=box_id,
                # For a dictionary, true is 1.
                category=categories.get(category, category) if type(category) is int else category,
                box=[*map(number, box)] if isinstance(box, list) else box,
                crowd=whole_number(entry.get("iscrowd")),
                area=number(entry.get("area")),
                where=f"{where} (image {image_id}, {image.name})",
            )
        )
    ids = {name: category_id for category_id, name in categories.items()}
    classes = tuple(class_names or ids)
    return build_index(
        name=root.name,
        split=split,
        class_names=classes,
        category_ids=ids_of_classes(classes, groups | ids),
        images=images,
        problems=problems,
        lost_boxes=lost,
        drop_invalid=drop_invalid,
        exif_orientation=exif_orientation,
        notes=[
            f"category {name!r} (id {category_id}): left out, as it only groups other categories"
            for name, category_id in groups.items()
            if name not in classes
        ],
    )


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = parse_json(read_file(path), finite=False)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise ValueError(f"{path} is not in COCO's format: it has no list {key!r}")
        for entry in content[key]:
            if not isinstance(entry, dict):
                raise ValueError(f"{path}: {key} are JSON objects, got {shown(entry)}")
    return content


def _categories(
    content: dict[str, list[dict[str, Any]]], path: Path
) -> tuple[dict[int, str], dict[str, int]]:
    """Returns the names by id, in the order of the ids, and the ids of mere groups by name."""
    entries = content["categories"]
    found = (whole_number(entry.get("category_id")) for entry in content["annotations"])
    used = {category_id for category_id in found if type(category_id) is int}
    names: dict[int, str] = {}
    groups: dict[str, int] = {}
    for entry in entries:
        category_id, name = whole_number(entry.get("id")), entry.get("name")
        if type(category_id) is not int or not isinstance(name, str):
            raise ValueError(f"{path}: a category has an integer id and a name, got {shown(entry)}")
        # COCO's own `person` is its own supercategory.
        above = (other.get("supercategory") for other in entries if other is not entry)
        if category_id not in used and name in above:
            groups[name] = category_id
            continue
        if category_id in names:
            raise ValueError(f"{path}: two categories have the id {category_id}")
        if name in names.values():
            raise ValueError(f"{path}: two categories have the name {name!r}")
        names[category_id] = name
    if not names:
        raise ValueError(f"{path}: there is no category")
    return dict(sorted(names.items())), groups


def _below(name: str) -> str:
    """Returns the part of a file name that may be below the folder of the images.

    Labelling tools write the separators of Windows, or paths and addresses of where they ran.
    """
    plain = name.replace("\\", "/")
    is_elsewhere = _ELSEWHERE.match(plain) or ".." in PurePosixPath(plain).parts or "\0" in plain
    return PurePosixPath(plain).name.replace("\0", "") if is_elsewhere else plain


def _image_path(folder: Path, name: str) -> Path | None:
    """Returns the path of an image, unless its name leads out of the folder."""
    below = _below(name)
    if not below:
        return None
    path = spelled(folder, below)
    is_changed = below != name.replace("\\", "/")
    return None if is_changed and not path.is_file() else path
