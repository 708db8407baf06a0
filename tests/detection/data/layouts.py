"""Small datasets laid out as the tools of labelling and sharing write them, for tests."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.detection.data.coco_directory import annotation

CELLS = ("Platelets", "RBC", "WBC")
SIDE = 64
# Of each image, the classes and places of its objects: an image in three has all classes.
_PLACES = {"RBC": (4, 6, 24, 26), "WBC": (30, 20, 28, 30), "Platelets": (40, 2, 12, 12)}
_KINDS = (("RBC", "WBC", "Platelets"), ("RBC",), ("RBC", "WBC"))


def objects_of(number: int) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Returns class and box (left, top, width, height) of the objects of an image."""
    return [(kind, _PLACES[kind]) for kind in _KINDS[number % len(_KINDS)]]


def write_picture(path: Path, number: int) -> None:
    """Writes a picture of SIDE x SIDE with a patch of noise for each object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(number)
    pixels = np.full((SIDE, SIDE, 3), 230, np.uint8)
    for kind, (left, top, width, height) in objects_of(number):
        patch = random.integers(0, 60, (height, width, 3)) + 60 * CELLS.index(kind)
        pixels[top : top + height, left : left + width] = patch
    Image.fromarray(pixels).save(path)


def xml(number: int, file_name: str, path: str = "", side: int = SIDE) -> str:
    """Returns the XML file of a picture, as LabelImg writes it."""
    objects = "".join(
        f"<object>\n\t<name>{kind}</name><pose>Unspecified</pose><difficult>0</difficult><bndbox>"
        f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{left + width}</xmax>"
        f"<ymax>{top + height}</ymax></bndbox></object>\n"
        for kind, (left, top, width, height) in objects_of(number)
    )
    return (
        f"<annotation verified='yes'><folder>images</folder><filename>{file_name}</filename>"
        f"<path>{path}</path><size><width>{side}</width><height>{side}</height><depth>3</depth>"
        f"</size>{objects}</annotation>"
    )


def write_bccd(root: Path, counts: Sequence[int] = (6, 3, 3)) -> None:
    """Writes Pascal VOC's layout with classes of its own, as BCCD has it."""
    numbers = iter(range(sum(counts)))
    lists: dict[str, list[str]] = {}
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        for number in [next(numbers) for _ in range(count)]:
            name = f"BloodImage_{number:05d}"
            write_picture(root / "JPEGImages" / f"{name}.jpg", number)
            (root / "Annotations").mkdir(exist_ok=True)
            # Some files of BCCD name another image.
            text = xml(number, f"{name}.jpg" if number else "BloodImage_99999.jpg")
            (root / "Annotations" / f"{name}.xml").write_text(text)
            lists.setdefault(split, []).append(name)
    lists["trainval"] = [*lists["train"], *lists["val"]]
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for split, names in lists.items():
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(names) + "\n")


def coco(names: Sequence[str], first_id: int = 0) -> dict:
    """Returns annotations in COCO's format of pictures numbered from 0, ids from `first_id`."""
    boxes = [
        (number, kind, box) for number in range(len(names)) for kind, box in objects_of(number)
    ]
    return {
        "info": {"year": "2020"},
        "images": [
            {"id": first_id + n, "file_name": name, "height": SIDE, "width": SIDE, "license": 1}
            for n, name in enumerate(names)
        ],
        "annotations": [
            annotation(
                first_id + n,
                first_id + number,
                list(box),
                first_id + CELLS.index(kind),
                area=box[2] * box[3],
                iscrowd=0,
                segmentation=[],
            )
            for n, (number, kind, box) in enumerate(boxes)
        ],
        "categories": [
            {"id": first_id + n, "name": name, "supercategory": ""} for n, name in enumerate(CELLS)
        ],
    }


def write_roboflow(root: Path, counts: Sequence[int] = (6, 3, 3)) -> None:
    """Writes Roboflow's export: a category 0 that groups the others, ids from 0."""
    for split, count in zip(("train", "valid", "test"), counts, strict=True):
        names = [f"BloodImage_{n:05d}_jpg.rf.{split}{n}.jpg" for n in range(count)]
        for number, name in enumerate(names):
            write_picture(root / split / name, number)
        content = coco(names)
        for box in content["annotations"]:
            box["category_id"] += 1
        content["categories"] = [
            {"id": 0, "name": "cells", "supercategory": "none"},
            *({"id": n, "name": kind, "supercategory": "cells"} for n, kind in enumerate(CELLS, 1)),
        ]
        (root / split / "_annotations.coco.json").write_text(json.dumps(content))


def write_cvat(root: Path, subset: str = "default", count: int = 10) -> None:
    """Writes CVAT's COCO export: one folder of images, with the folders of the upload below it."""
    names = [f"batch {n % 2}/frame_{n:06d}.png" for n in range(count)]
    for number, name in enumerate(names):
        write_picture(root / "images" / name, number)
    (root / "annotations").mkdir(exist_ok=True)
    path = root / "annotations" / f"instances_{subset}.json"
    path.write_text(json.dumps(coco(names, first_id=1)))


def write_labelimg(root: Path, count: int = 10, images: str = "images", files: str = "xml") -> None:
    """Writes pictures in a folder and LabelImg's XML files in another or the same; no splits."""
    for number in range(count):
        name = f"IMG_{number}"
        write_picture(root / images / f"{name}.JPG", number)
        (root / files).mkdir(parents=True, exist_ok=True)
        path = f"C:\\Users\\ann\\Desktop\\{name}.JPG"
        (root / files / f"{name}.xml").write_text(xml(number, f"{name}.JPG", path, side=0))


def write_label_studio(root: Path, count: int = 10) -> None:
    """Writes Label Studio's COCO export: `result.json` beside `images/`, ids from 0."""
    names = [f"images/{number:x}2f-cells.png" for number in range(count)]
    for number, name in enumerate(names):
        write_picture(root / name, number)
    (root / "result.json").write_text(json.dumps(coco(names)))
