"""COCO's annotation files (`instances_*.json`), and any others in their format."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from nasnet_keras.data.sources.split import Split
from nasnet_keras.detection.data.annotation_checks import build_index
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.source_images import SourceBox, SourceImage
from nasnet_keras.detection.data.source_values import image_sides, whole_number
from nasnet_keras.input_files import read_file
from nasnet_keras.settings import shown


class CocoDirectory(DetectionFormat):
    """A directory with `annotations/instances_{split}2017.json` and `{split}2017/`.

    The year may differ or be absent; of several, the last is taken.
    """

    layout = "annotations/instances_*.json (COCO)"

    @cached_property
    def files(self) -> dict[str, tuple[Path, Path]]:
        """The annotation file and the folder of the images of each split (`"train"`, `"val"`)."""
        found: dict[str, tuple[Path, Path]] = {}
        for path in sorted((self.root / "annotations").glob("instances_*.json")):
            full = path.stem.removeprefix("instances_")
            found[full.rstrip("0123456789") or full] = (path, self.root / full)
        return found

    def splits(self) -> list[str]:
        return list(self.files)

    def read(self, split: Split, drop_invalid: bool = False) -> DetectionIndex:
        return split.of(read_coco(*self.files[split.name], split.name, drop_invalid))


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
) -> DetectionIndex:
    """Reads an annotation file in COCO's format, of whatever classes.

    Labels are the categories in the order of their ids, without gaps. Outlines and captions are
    passed over.

    Args:
        annotations: The JSON file.
        image_dir: Folder that its file names start from.
        split: Name for the split; by default, the name of the file.
        drop_invalid: Leave out and count what is wrong.

    Returns:
        The index.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not in COCO's format.
        AnnotationError: Something is wrong with the annotations or the images.
    """
    path = Path(annotations)
    content = _load(path)
    categories = _categories(content["categories"], path)
    problems: list[str] = []
    images: list[SourceImage] = []
    by_id: dict[Any, SourceImage] = {}
    root = Path(image_dir)
    for entry in content["images"]:
        name, image_id = str(entry.get("file_name", "")), whole_number(entry.get("id"))
        image = SourceImage(
            id=image_id,
            name=name,
            path=_inside(root, name),
            size=image_sides(entry.get("height"), entry.get("width")),
            where=f"{path.name}: image {image_id!r} ({name})",
        )
        images.append(image)
        # For a dictionary, true is 1. Of text that is no number, the image itself tells.
        if type(image_id) in (int, str):
            by_id.setdefault(image_id, image)
    lost = 0
    for entry in content["annotations"]:
        box_id, image_id = whole_number(entry.get("id")), whole_number(entry.get("image_id"))
        where = f"{path.name}: annotation {box_id!r}"
        image = by_id.get(image_id) if type(image_id) in (int, str) else None
        if image is None:
            problems.append(f"{where}: there is no image with id {shown(image_id)}")
            lost += 1
            continue
        image.boxes.append(
            SourceBox(
                id=box_id,
                category=whole_number(entry.get("category_id")),
                box=entry.get("bbox"),
                crowd=entry.get("iscrowd"),
                area=entry.get("area"),
                where=f"{where} (image {image_id}, {image.name})",
            )
        )
    return build_index(
        name=path.parent.parent.name if path.parent.name == "annotations" else path.stem,
        split=split or path.stem,
        categories=categories,
        category_ids=tuple(categories),
        images=images,
        problems=problems,
        lost_boxes=lost,
        drop_invalid=drop_invalid,
    )


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise ValueError(f"{path} is not in COCO's format: it has no list {key!r}")
        for entry in content[key]:
            if not isinstance(entry, dict):
                raise ValueError(f"{path}: {key} are JSON objects, got {shown(entry)}")
    return content


def _categories(entries: list[dict[str, Any]], path: Path) -> dict[int, str]:
    """Returns the names by id, in the order of the ids."""
    names: dict[int, str] = {}
    for entry in entries:
        category_id, name = whole_number(entry.get("id")), entry.get("name")
        if type(category_id) is not int or not isinstance(name, str):
            raise ValueError(f"{path}: a category has an integer id and a name, got {entry}")
        if category_id in names:
            raise ValueError(f"{path}: two categories have the id {category_id}")
        if name in names.values():
            raise ValueError(f"{path}: two categories have the name {name!r}")
        names[category_id] = name
    if not names:
        raise ValueError(f"{path}: there is no category")
    return dict(sorted(names.items()))


def _inside(root: Path, name: str) -> Path | None:
    """Returns the path of an image, unless its name leads out of the folder."""
    if not name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    return root / name
