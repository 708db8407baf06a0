"""Where the XML files of Pascal VOC's format and their images are, as the tools lay them out.

- Pascal VOC, CVAT, BCCD: `Annotations/`, `JPEGImages/` and lists of names in `ImageSets/Main/`.
- LabelImg, Label Studio: XML files in a folder, `Annotations/` or another, and images in one beside
  it; or XML files beside their images. There are no splits.
- Roboflow: XML files beside their images in a folder of each split, `train/`, `valid/`, `test/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from nasnet_keras.data.image_reader import SUFFIXES
from nasnet_keras.data.sources.image_listing import is_hidden, list_images, subfolders
from nasnet_keras.data.sources.list_file import read_list_file
from nasnet_keras.data.sources.split import is_split_name
from nasnet_keras.detection.data.parts import ALL

LISTS = "ImageSets/Main"
_XML = ".[xX][mM][lL]"  # In a pattern.
# Second column of the lists of a class.
_IS_THERE = ("-1", "0", "1")


@dataclass(frozen=True)
class XmlFiles:
    """XML files of a dataset or a split, and their images.

    Attributes:
        folder: Folder of the XML files, which names start from.
        image_folders: Folders of the images, the likeliest first.
    """

    folder: Path
    image_folders: tuple[Path, ...]

    def names(self) -> list[str]:
        """Returns the names of all XML files, without their suffix, sorted."""
        paths = (path.relative_to(self.folder) for path in self.folder.rglob(f"*{_XML}"))
        return sorted(
            path.with_suffix("").as_posix()
            for path in paths
            if not any(is_hidden(part) for part in path.parts)
        )

    def xml(self, name: str) -> Path:
        """Returns the path of an XML file."""
        paths = [self.folder / f"{name}{suffix}" for suffix in (".xml", ".XML", ".Xml")]
        return next((path for path in paths if path.exists()), paths[0])

    def image(self, name: str, file_name: str) -> Path:
        """Returns the image of an XML file, which may be missing.

        Args:
            name: Name of the XML file, without suffix; tools name it after the image.
            file_name: What it says its image is called. Folders in it are of another machine.
        """
        own = PurePosixPath(file_name.replace("\\", "/"))
        for key in (name, PurePosixPath(name).name, own.stem):
            found = self._images.get(key, [])
            # Of several images of that name, the one that the file names.
            named = [path for path in found if path.name == own.name]
            if found:
                return (named or found)[0]
        return self.image_folders[0] / (own.name or f"{name}{SUFFIXES[0]}")

    def images(self) -> set[Path]:
        """Returns all images in the folders."""
        return {path for paths in self._images.values() for path in paths}

    @cached_property
    def _images(self) -> Mapping[str, list[Path]]:
        """The images by their names without suffix, with and without the folders below ours."""
        found: dict[str, list[Path]] = {}
        for folder in self.image_folders:
            for path in list_images(folder).paths if folder.is_dir() else ():
                name = path.relative_to(folder).with_suffix("").as_posix()
                for key in {name, path.stem}:
                    found.setdefault(key, []).append(path)
        return found


def find_lists(root: Path) -> dict[str, Path]:
    """Returns the lists of the splits; not those that say which images show a class."""
    lists = {path.stem: path for path in sorted((root / LISTS).glob("*.txt"))}
    return {name: path for name, path in lists.items() if not _is_of_class(name, path, lists)}


def listed_files(root: Path) -> XmlFiles:
    """Returns the files of a dataset with lists."""
    folders = (root / "JPEGImages", root / "images")
    return XmlFiles(
        root / "Annotations", tuple(each for each in folders if each.is_dir()) or folders
    )


def listed_names(path: Path, files: XmlFiles) -> list[str]:
    """Returns the names on a list, of which a line may have a second column or a suffix.

    Raises:
        OSError: The list cannot be read.
        ValueError: It is not text.
    """
    names = []
    for line in read_list_file(path).values():
        # A name may have blanks.
        name, *column = line.rsplit(None, 1)
        names_only = name if column and column[0] in _IS_THERE else line
        likely = [line, names_only]
        likely += [each[: -len(suffix)] for each in likely for suffix in _suffix_of(each)]
        # Other tools' lists have the folders of the images as well.
        likely += [PurePosixPath(each).name for each in likely]
        names.append(next((each for each in likely if files.xml(each).exists()), names_only))
    return names


def unlisted_files(root: Path) -> dict[str, XmlFiles]:
    """Returns the files of each split of a dataset without lists; of `ALL` where it has none."""
    splits = [folder for folder in subfolders(root) if is_split_name(folder.name)]
    found = {folder.name: files for folder in splits if (files := _files_in(folder))}
    if found:
        return found
    files = _files_in(root)
    return {ALL: files} if files else {}


def _files_in(root: Path) -> XmlFiles | None:
    """Returns the XML files in a folder or below it, and where their images may be."""
    if next(root.glob(f"*{_XML}"), None):
        return XmlFiles(root, (root,))
    folders = subfolders(root)
    with_xml = [folder for folder in folders if _has_xml(folder)]
    if len(with_xml) == 1:
        rest = [folder for folder in folders if folder != with_xml[0]]
        return XmlFiles(with_xml[0], (with_xml[0], *rest, root))
    return XmlFiles(root, (root,)) if with_xml else None


def _has_xml(folder: Path) -> bool:
    """Returns whether XML files are in a folder or one of its own; any disk would take for ever."""
    return any(next(folder.glob(pattern), None) for pattern in (f"*{_XML}", f"*/*{_XML}"))


def _is_of_class(name: str, path: Path, lists: Mapping[str, Path]) -> bool:
    if not any(name.endswith(f"_{other}") for other in lists):
        return False
    lines = read_list_file(path).values()
    return all(line.split()[-1] in _IS_THERE for line in lines)


def _suffix_of(name: str) -> list[str]:
    suffix = PurePosixPath(name).suffix
    return [suffix] if suffix.lower() in SUFFIXES else []
