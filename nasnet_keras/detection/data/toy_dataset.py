"""A small detection task that needs no download: scanned digits on parts of two photographs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nasnet_keras.data import ImageDataset, load_dataset
from nasnet_keras.files.atomic_files import atomic_write

# The annotations' description begins with it, which marks a dataset of this module.
_TITLE = "Digits on photographs"
# Marks the folder if a run was killed after it removed the annotations.
_NOTE = "README.txt"
# The digits and the columns of each photograph that a split is made of, disjoint.
_PARTS = {"train": ("train", (0.0, 0.66)), "val": ("test", (0.68, 1.0))}
_SIDES = (128, 192)  # Of the images, in pixels.
_BACKGROUND = (64, 192)  # Side of the square of the photograph that becomes the background.
_HEIGHTS = (26, 80)  # Of the scans when pasted; the ink takes up most of that.
_MOST_DIGITS = 6
_TRIES = 30
_GAP = 2  # Pixels between boxes.
_CONTRAST = 80  # Least difference of brightness between a digit and what is behind it, of 255.
_QUALITY = 92
_LUMA = np.array([0.299, 0.587, 0.114])


def write_toy_dataset(
    output_dir: str | os.PathLike[str],
    train_images: int = 1200,
    val_images: int = 200,
    seed: int = 0,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Writes the dataset in COCO's layout: `train2017/`, `val2017/`, `annotations/`.

    Each image, of 128 to 192 pixels a side, shows 1 to 6 of scikit-learn's scanned digits (see
    `Digits`), 26 to 80 pixels high, in random colours at random places, on a random part of
    scikit-learn's two photographs. Digits do not overlap, and their boxes are exactly the extent of
    their ink. The validation images have digits and parts of the photographs that no training image
    has. The same seed gives the same bytes, with the same versions of NumPy, Pillow and
    scikit-learn.

    Args:
        output_dir: Directory of the dataset; a split that this function wrote there before is
            replaced, another dataset's is an error.
        train_images: Images to train on.
        val_images: Images held out.
        seed: Seed of everything random.
        on_progress: Called after each image with the split, images so far, and images in all.

    Raises:
        OSError: The directory cannot be written to.
        ValueError: A count is below 1, or the directory holds a split of another dataset: its
            annotations' `info.description` does not begin with "Digits on photographs".
    """
    counts = {"train": train_images, "val": val_images}
    for split, count in counts.items():
        if count < 1:
            raise ValueError(f"{split}_images is at least 1, got {count}")
    if seed < 0:
        raise ValueError(f"seed is at least 0, got {seed}")
    root = Path(output_dir)
    for split in counts:
        _check_is_own(*_places(root, split))
    for split, count in counts.items():
        target, annotations = _places(root, split)
        with atomic_write(target) as folder:
            folder.mkdir()
            content = _write_split(folder, split, count, seed, on_progress)
            # The old annotations go first and the new ones come last: with them, a split is
            # complete.
            annotations.unlink(missing_ok=True)
        with atomic_write(annotations) as temporary:
            temporary.write_text(json.dumps(content) + "\n")


def _places(root: Path, split: str) -> tuple[Path, Path]:
    """Returns the folder of a split's images and the file of its annotations."""
    return root / f"{split}2017", root / "annotations" / f"instances_{split}2017.json"


def _check_is_own(folder: Path, annotations: Path) -> None:
    """Raises an error for what this module did not write."""
    if os.path.lexists(annotations):
        found, own = annotations, _description(annotations).startswith(_TITLE)
    elif folder.is_dir():
        note = folder / _NOTE
        found = folder
        own = not any(folder.iterdir()) or (
            note.is_file() and note.read_bytes().startswith(_TITLE.encode())
        )
    else:
        found, own = folder, not os.path.lexists(folder)
    if not own:
        raise ValueError(
            f"{found} is of another dataset, not {_TITLE!r}, and is not replaced: name another "
            "directory"
        )


def _description(annotations: Path) -> str:
    content = annotations.read_bytes()
    # COCO's own file takes seconds and gigabytes to parse.
    if _TITLE.encode() not in content:
        return ""
    try:
        return str(json.loads(content)["info"]["description"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _write_split(
    folder: Path,
    split: str,
    count: int,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None,
) -> dict[str, Any]:
    digits_split, columns = _PARTS[split]
    digits, photographs = load_dataset("digits", digits_split), _photographs(columns)
    description = f"{_TITLE}, {split}, seed {seed}"
    (folder / _NOTE).write_text(f"{description}\n")
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id in range(1, count + 1):
        # Each image has a generator of its own: more images leave the first ones as they were.
        random = np.random.default_rng([seed, tuple(_PARTS).index(split), image_id])
        image, boxes, labels = make_toy_image(photographs, digits, random)
        name = f"{image_id:012d}.jpg"
        Image.fromarray(image).save(folder / name, quality=_QUALITY, subsampling=0)
        height, width = image.shape[:2]
        images.append({"id": image_id, "file_name": name, "height": height, "width": width})
        for (top, left, bottom, right), label in zip(boxes.tolist(), labels, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(label) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                }
            )
        if on_progress:
            on_progress(split, image_id, count)
    categories = [{"id": n + 1, "name": name} for n, name in enumerate(digits.class_names)]
    return {
        "info": {"description": description},
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }


def make_toy_image(
    photographs: list[Image.Image], digits: ImageDataset, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Makes one image.

    Args:
        photographs: What backgrounds are cut from.
        digits: The scans, of 8x8 pixels.
        random: Source of all that is random.

    Returns:
        The image, uint8 `(height, width, 3)`; the boxes, int64 `(n, 4)`, top, left, bottom, right;
        and the labels, `(n,)`; n is at least 1.
    """
    height, width = (int(side) for side in random.integers(_SIDES[0], _SIDES[1] + 1, 2))
    canvas = _background(photographs, height, width, random)
    boxes: list[tuple[int, int, int, int]] = []
    labels: list[int] = []
    wanted = int(random.integers(1, _MOST_DIGITS + 1))
    for _ in range(_TRIES):
        if len(boxes) == wanted:
            break
        chosen = int(random.integers(len(digits)))
        ink = digit_ink(digits.images[chosen, :, :, 0], random)
        if ink.shape[0] > height or ink.shape[1] > width:
            continue
        top = int(random.integers(height - ink.shape[0] + 1))
        left = int(random.integers(width - ink.shape[1] + 1))
        box = (top, left, top + ink.shape[0], left + ink.shape[1])
        if any(_touch(box, other) for other in boxes):
            continue
        region = canvas[box[0] : box[2], box[1] : box[3]]
        color = _color_on(region, ink, random)
        region += ink[:, :, np.newaxis] * (color - region)
        boxes.append(box)
        labels.append(int(digits.labels[chosen]))
    image = np.round(canvas).clip(0, 255).astype(np.uint8)
    return image, np.array(boxes, np.int64), np.array(labels, np.int64)


def digit_ink(scan: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Enlarges a scan to a random size and cuts it to its ink.

    Args:
        scan: `(8, 8)`, uint8.
        random: Source of size and proportions.

    Returns:
        How much ink each pixel has, `(height, width)`, from 0 to 1. Every edge of it has some.
    """
    # Even on a logarithmic scale: small and large digits alike.
    height = np.exp(random.uniform(*np.log(_HEIGHTS)))
    width = height * np.exp(random.uniform(np.log(0.75), np.log(1.15)))
    size = (max(round(width), 8), max(round(height), 8))
    # A frame of white, so that ink on the edge of the scan gets a smooth edge as well.
    framed = Image.fromarray(np.pad(scan, 1))
    grown = framed.resize((size[0] * 10 // 8, size[1] * 10 // 8), Image.Resampling.BICUBIC)
    # Blurred edges become sharp, and the faint halo goes.
    ink = np.clip((np.asarray(grown, np.float64) / 255 - 0.3) / 0.25, 0, 1)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _photographs(columns: tuple[float, float]) -> list[Image.Image]:
    """Returns the part of each photograph between two fractions of its width."""
    from sklearn import datasets

    result = []
    for pixels in datasets.load_sample_images().images:
        first, last = (round(fraction * pixels.shape[1]) for fraction in columns)
        result.append(Image.fromarray(np.ascontiguousarray(pixels[:, first:last])))
    return result


def _background(
    photographs: list[Image.Image], height: int, width: int, random: np.random.Generator
) -> np.ndarray:
    photograph = photographs[random.integers(len(photographs))]
    side = int(random.integers(_BACKGROUND[0], _BACKGROUND[1] + 1))
    left = int(random.integers(photograph.width - side + 1))
    top = int(random.integers(photograph.height - side + 1))
    part = photograph.resize(
        (width, height), Image.Resampling.BICUBIC, (left, top, left + side, top + side)
    )
    pixels = np.asarray(part, np.float64)
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    # Brightness and colour differ from image to image, so that the two photographs become many.
    return (pixels * random.uniform(0.7, 1.2, 3) * random.uniform(0.8, 1.2)).clip(0, 255)


def _color_on(region: np.ndarray, ink: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draws a colour that can be told from what is behind the ink."""
    behind = float((region @ _LUMA)[ink > 0].mean())
    while True:
        color = random.uniform(0, 255, 3)
        if abs(float(color @ _LUMA) - behind) >= _CONTRAST:
            return color


def _touch(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    pairs = ((box, other), (other, box))
    return all(a[k] < b[k + 2] + _GAP for a, b in pairs for k in (0, 1))
