"""Pascal VOC's format: an XML file for each image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from nasnet_keras.detection.data.annotation_checks import build_index
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.source_images import SourceBox, SourceImage
from nasnet_keras.detection.data.source_values import image_sides, whole_number
from nasnet_keras.detection.data.voc_layouts import (
    LISTS,
    XmlFiles,
    find_lists,
    listed_files,
    listed_names,
    unlisted_files,
)
from nasnet_keras.files.input_files import read_file

# The splits that the classes are taken from, if there are any.
_TRAINING = ("train", "trainval")

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_Trees = dict[str, "Element | None"]


class VocDirectory(DetectionFormat):
    """A directory such as `VOCdevkit/VOC2007`, or with XML files in its format; see `read_voc`."""

    layout = "ImageSets/Main (Pascal VOC) or XML files (LabelImg)"

    @cached_property
    def lists(self) -> dict[str, Path]:
        """The lists of the splits, if there are any."""
        return find_lists(self.root)

    @cached_property
    def files(self) -> dict[str, XmlFiles]:
        """The files of each split."""
        return dict.fromkeys(self.lists, listed_files(self.root)) or unlisted_files(self.root)

    def own_splits(self) -> list[str]:
        return list(self.files)

    def read_split(
        self, name: str, drop_invalid: bool = False, class_names: Sequence[str] | None = None
    ) -> DetectionIndex:
        files, names = self.files[name], self._names(name)
        trees, problems = _trees(files, names, self.root)
        listing = f"{LISTS}/{name}.txt"
        repeated = [each for each, count in Counter(names).items() if count > 1]
        problems += [f"{listing}: {each} is there twice" for each in repeated]
        images = [
            _image(self.root, files, each, image_id, tree)
            for image_id, (each, tree) in enumerate(trees.items(), 1)
            if tree is not None
        ]
        classes = tuple(class_names or self._classes(name, trees))
        return build_index(
            name=self.root.name,
            split=name,
            class_names=classes,
            category_ids=range(1, len(classes) + 1),
            images=images,
            problems=problems,
            # Annotations missing or broken, and names that the list has twice.
            lost_images=len(names) - len(images),
            drop_invalid=drop_invalid,
            exif_orientation=self.exif_orientation,
            notes=() if self.lists else _unannotated(name, files, images),
        )

    def _names(self, split: str) -> list[str]:
        files = self.files[split]
        return listed_names(self.lists[split], files) if self.lists else files.names()

    def _classes(self, split: str, trees: _Trees) -> list[str]:
        """Returns the classes of the training split, so that every split has the same labels."""
        own = self.own_splits()
        training = next((each for each in _TRAINING if each in own), split)
        if training != split:
            # What is wrong with its files is told where it is read.
            trees = _trees(self.files[training], self._names(training), self.root)[0]
        things = (
            thing for tree in trees.values() if tree is not None for thing in tree.findall("object")
        )
        return sorted({_text(thing, "name") for thing in things} - {""})


def read_voc(
    dataset_dir: str | os.PathLike[str],
    split: str,
    class_names: Sequence[str] | None = None,
    drop_invalid: bool = False,
) -> DetectionIndex:
    """Reads a split in Pascal VOC's format, of whatever classes.

    Its corners are pixels from 1, both included: columns 1 to 10 become the box from 0 to 10.
    Objects marked difficult are crowds: neither trained on nor scored. The ids of images are their
    positions in the list, from 1, or among the names of all files, sorted, where there is none.

    Args:
        dataset_dir: E.g. `VOCdevkit/VOC2007`; see `voc_layouts`.
        split: A list in `ImageSets/Main` or a part of one, e.g. `"trainval"`; a folder, such as
            `"train"`; or `"all"`.
        class_names: The classes in the order of the labels. By default those of `train`, or
            `trainval`, or else of the split itself, in alphabetical order. Of Pascal VOC itself
            those are its twenty, in its own order.
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
    # An unknown encoding is looked up.
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"it is not XML: {error}") from error
    return builder.close()


def _trees(files: XmlFiles, names: Sequence[str], root: Path) -> tuple[_Trees, list[str]]:
    """Returns the content of XML files, and what is wrong with those that have none."""
    trees: _Trees = {}
    problems = []
    for name in names:
        path = files.xml(name)
        trees[name] = None
        try:
            if ".." in Path(name).parts or Path(name).is_absolute():
                raise ValueError("the name leads out of the folder")
            trees[name] = parse_xml(read_file(path))
        except FileNotFoundError:
            problems.append(f"{path} is missing")
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
    return trees, problems


def _unannotated(split: str, files: XmlFiles, images: Sequence[SourceImage]) -> list[str]:
    count = len(files.images() - {image.path for image in images})
    return [f"{split}: {count} images without an XML file are left out"] if count else []


def _image(root: Path, files: XmlFiles, name: str, image_id: int, tree: Element) -> SourceImage:
    where = os.path.relpath(files.xml(name), root)
    path = files.image(name, _text(tree, "filename"))
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
