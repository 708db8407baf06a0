"""Small datasets in COCO's layout, written for tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]


def annotation(number: Any, image: Any, box: list[Any], category: Any = 3, **more: Any) -> dict:
    return {"id": number, "image_id": image, "bbox": box, "category_id": category} | more


def two_images() -> dict[str, Any]:
    """Returns annotations of an image of 60x80 (height x width) and one of 50x40 without boxes."""
    return {
        "images": [
            {"id": 11, "file_name": "a.png", "height": 60, "width": 80},
            {"id": 5, "file_name": "b.png", "height": 50, "width": 40},
        ],
        "annotations": [
            annotation(1, 11, [10.5, 20, 30, 15.25], 7, area=100.5, iscrowd=0),
            annotation(2, 11, [0, 0, 80, 60], 3, iscrowd=1),
        ],
        "categories": CATEGORIES,
    }


def write_coco(root: Path, content: dict[str, Any], split: str = "val") -> Path:
    """Writes the annotations, and an image of noise for each that they name."""
    folder = root / f"{split}2017"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "annotations").mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for image in content["images"]:
        pixels = random.integers(0, 256, (image["height"], image["width"], 3), np.uint8)
        Image.fromarray(pixels).save(folder / image["file_name"])
    (root / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(content))
    return root
