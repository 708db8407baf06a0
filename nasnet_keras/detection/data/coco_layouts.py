"""Where the annotation files of COCO's format and their images are, as the tools lay them out.

- COCO, CVAT, Datumaro: `annotations/instances_train2017.json` or `..._default.json`; images in
  `train2017/`, in `images/train/` or all in `images/`.
- Roboflow: `train/_annotations.coco.json` beside its images.
- Label Studio, FiftyOne and many scripts: `result.json`, `labels.json` or `train.json` above
  `images/` or `data/`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from nasnet_keras.data.sources.image_listing import subfolders
from nasnet_keras.data.sources.split import is_split_name
from nasnet_keras.detection.data.parts import ALL

# Words in the names of annotation files that say nothing about the split.
_FILLERS = {"instances", "annotations", "annotation", "coco", "labels", "result"}
_OTHERS = (ALL, "default", "trainval")
_SAMPLE = 20


def find_annotations(root: Path) -> dict[str, Path]:
    """Returns the annotation file of each split, of the first layout that is there.

    Of several years of a split, the last is taken.
    """
    return (
        _by_name((root / "annotations").glob("instances_*.json"), any_name=True)
        or _by_name((root / "annotations").glob("*.json"))
        or _by_folder(root)
        or _by_name(root.glob("*.json"))
    )


def image_folder(root: Path, annotations: Path, names: Sequence[str]) -> Path:
    """Returns the folder that the file names of an annotation file start from.

    Args:
        root: The dataset's directory.
        annotations: The file.
        names: Names of its images, of which a few are looked for.

    Returns:
        The first folder with the most of them.
    """
    full, split = _full_name(annotations), _split_name(annotations)
    if annotations.parent.parent == root and annotations.parent.name != "annotations":
        likely = [annotations.parent, annotations.parent / "images", annotations.parent / "data"]
    else:
        likely = [root / name for each in (full, split) for name in (each, f"images/{each}")]
    likely += [root / "images", root / "data", root, *subfolders(root)]
    sample = names[:: max(1, len(names) // _SAMPLE)]
    return max(likely, key=lambda folder: sum(spelled(folder, name).exists() for name in sample))


def spelled(folder: Path, name: str) -> Path:
    """Returns the path of a file, whose name may be there in another form of Unicode: macOS's."""
    path = folder / name
    if name.isascii() or path.exists():
        return path
    others = (folder / unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return next((other for other in others if other.exists()), path)


def _by_name(paths: Iterable[Path], any_name: bool = False) -> dict[str, Path]:
    """Returns files by the splits that they are named after; others only with `any_name`."""
    found = {}
    for path in sorted(paths):
        name = _without_year(_full_name(path)) if any_name else _split_name(path)
        if any_name or name in _OTHERS or is_split_name(name):
            found[name] = path
    return found


def _by_folder(root: Path) -> dict[str, Path]:
    """Returns the files that are in a folder of their split, as `_annotations.coco.json`."""
    found = {}
    for folder in subfolders(root):
        files = [path for path in sorted(folder.glob("*.json")) if _split_name(path) == ALL]
        if files:
            found[folder.name] = files[0]
    return found


def _split_name(path: Path) -> str:
    """Returns the split that a file is named after; `ALL` where its name says nothing of one."""
    words = [word for word in re.split(r"[\W_]+", path.stem) if word.lower() not in _FILLERS]
    return _without_year("_".join(filter(None, words))) or ALL


def _full_name(path: Path) -> str:
    return path.stem.removeprefix("instances_")


def _without_year(name: str) -> str:
    return name.rstrip("0123456789") or name
