"""Pascal VOC's layout: `JPEGImages/`, an XML file an image in `Annotations/`, `ImageSets/Main/`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from nasnet_keras.data.image_reader import SUFFIXES
from nasnet_keras.data.sources.split import Split
from nasnet_keras.detection.data.annotation_checks import build_index
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.source_images import SourceBox, SourceImage
from nasnet_keras.detection.data.source_values import image_sides, whole_number
from nasnet_keras.input_files import read_file, read_text

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
_SUFFIXES = (*SUFFIXES, *map(str.upper, SUFFIXES))

_PER_CLASS = tuple(f"{name}_" for name in VOC_CLASSES)
_EDGES = ("xmin", "ymin", "xmax", "ymax")


class VocDirectory(DetectionFormat):
    """A directory such as `VOCdevkit/VOC2007`; see `read_voc`."""

    layout = "ImageSets/Main (Pascal VOC)"

    def splits(self) -> list[str]:
        lists = sorted((self.root / "ImageSets" / "Main").glob("*.txt"))
        # Lists like `aeroplane_train.txt` say which images show a class.
        return [path.stem for path in lists if not path.stem.startswith(_PER_CLASS)]

    def read(
        self, split: Split, drop_invalid: bool = False, class_names: Sequence[str] | None = None
    ) -> DetectionIndex:
        listing = self.root / "ImageSets" / "Main" / f"{split.name}.txt"
        # A line may have a second column, as the lists of one class do.
        lines = read_text(listing).splitlines()
        names = [line.split()[0] for line in lines if line.strip()]
        problems: list[str] = []
        trees: dict[str, Element | None] = {}
        for name in names:
            if name in trees:
                problems.append(f"ImageSets/Main/{split.name}.txt: {name} is there twice")
                continue
            safe = ".." not in Path(name).parts and not Path(name).is_absolute()
            path = self.root / "Annotations" / f"{name}.xml"
            trees[name] = _tree_or_problem(path, problems, safe)
        classes = tuple(class_names or _class_names(self.root, trees))
        images = [
            _image(self.root, name, image_id, tree)
            for image_id, (name, tree) in enumerate(trees.items(), 1)
            if tree is not None
        ]
        index = build_index(
            name=self.root.name,
            split=split.name,
            categories={name: name for name in classes},
            category_ids=range(1, len(classes) + 1),
            images=images,
            problems=problems,
            # Annotations missing or broken, and names that the list has twice.
            lost_images=len(names) - len(images),
            drop_invalid=drop_invalid,
        )
        return split.of(index)


def read_voc(
    dataset_dir: str | os.PathLike[str],
    split: str,
    class_names: Sequence[str] | None = None,
    drop_invalid: bool = False,
) -> DetectionIndex:
    """Reads a split in Pascal VOC's format, of whatever classes.

    Its corners are pixels from 1, both included: columns 1 to 10 become the box from 0 to 10.
    Objects marked difficult are crowds: neither trained on nor scored. The ids of images are their
    positions in the list, from 1.

    Args:
        dataset_dir: E.g. `VOCdevkit/VOC2007`.
        split: A list in `ImageSets/Main` or a part of one, e.g. `"trainval"`.
        class_names: The classes in the order of the labels. By default VOC's twenty, or if
            `Annotations` has other names, those in alphabetical order.
        drop_invalid: Leave out and count what is wrong.

    Raises:
        OSError: The list cannot be read.
        ValueError: The split is unknown, or something is wrong with the annotations.
    """
    found = VocDirectory(os.fspath(dataset_dir), Path(dataset_dir))
    return found.read(found.parse(split), drop_invalid, class_names)


def parse_xml(content: bytes) -> Element:
    """Parses XML from an untrusted source.

    Args:
        content: The file.

    Returns:
        The root.

    Raises:
        ValueError: It is not XML, or it declares a document type, whose entities could
            fill the memory or read other files.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()

    def reject(*_: Any) -> None:
        raise ValueError("it declares a document type, which annotations do not need")

    parser.StartDoctypeDeclHandler = reject
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"it is not XML: {error}") from error
    return builder.close()


def _tree_or_problem(path: Path, problems: list[str], safe: bool = True) -> Element | None:
    try:
        if not safe:
            raise ValueError("the name leads out of the folder")
        return parse_xml(read_file(path))
    except FileNotFoundError:
        problems.append(f"{path} is missing")
    except (OSError, ValueError) as error:
        problems.append(f"{path}: {error}")
    return None


def _class_names(root: Path, trees: dict[str, Element | None]) -> tuple[str, ...]:
    """Returns the classes; those of all annotations, so that every split has the same labels."""
    found: set[str] = set()
    for path in sorted((root / "Annotations").glob("*.xml")):
        # Errors in files of another split are ignored here.
        tree = trees.get(path.stem) if path.stem in trees else _tree_or_problem(path, [])
        if tree is not None:
            found.update(_text(thing, "name") for thing in tree.findall("object"))
    found.discard("")
    return VOC_CLASSES if found <= set(VOC_CLASSES) else tuple(sorted(found))


def _image(root: Path, name: str, image_id: int, tree: Element) -> SourceImage:
    where = f"Annotations/{name}.xml"
    folder = root / "JPEGImages"
    candidates = [folder / f"{name}{suffix}" for suffix in _SUFFIXES]
    path = next((path for path in candidates if path.exists()), candidates[0])
    sides = image_sides(_text(tree, "size/height"), _text(tree, "size/width"))
    image = SourceImage(image_id, path.name, path, sides, where)
    for place, thing in enumerate(tree.findall("object"), 1):
        corners = [_float(_text(thing, f"bndbox/{edge}")) for edge in _EDGES]
        if None in corners:
            box: Any = [_text(thing, f"bndbox/{edge}") for edge in _EDGES]
        else:
            left, top, right, bottom = (float(corner or 0) for corner in corners)
            box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
        image.boxes.append(
            SourceBox(
                id=None,
                category=_text(thing, "name"),
                box=box,
                crowd=_difficult(_text(thing, "difficult")),
                area=None,
                where=f"{where}: object {place} ({_text(thing, 'name')})",
            )
        )
    return image


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _difficult(text: str) -> Any:
    return 0 if text in ("", "Unspecified") else whole_number(text)
