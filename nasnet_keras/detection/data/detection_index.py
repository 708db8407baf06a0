"""Everything a dataset says about its images and boxes, in memory; the pixels stay on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.data.exif import UPRIGHT
from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.data.sources.example_files import Examples

# COCO numbers its 80 categories with gaps; TFDS and others renumber them without.
_COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_FEW = 10

COCO_CATEGORY_IDS = tuple(sorted({*range(1, 91)} - {*_COCO_GAPS}))


@dataclass(frozen=True, eq=False)
class DetectionIndex(Examples):
    """The images of a split and the boxes on them.

    The boxes of image `i` are the rows `first_box[i]` to before `first_box[i + 1]`.

    Attributes:
        category_ids: `(classes,)`, int64: the ids in the dataset's own files.
        image_ids: `(images,)`, int64.
        image_names: What the dataset calls each image, usually a file name.
        sizes: `(images, 2)`, int32: height and width in pixels.
        paths: File that holds each encoded image.
        spans: `(images, 2)`, int64: first byte and length of the encoded image in its file; a
            length of -1 means all of it.
        first_box: `(images + 1,)`, int64.
        boxes: `(boxes, 4)`, float32: top, left, bottom, right in pixels, inside the image.
        labels: `(boxes,)`, int32, from 0.
        crowd: `(boxes,)`, bool: regions of many objects (in Pascal VOC, objects marked difficult).
            Training ignores them, and so does the metric where a detection lies on one.
        areas: `(boxes,)`, float64: as the dataset gives them, in COCO the area of the outline; the
            metric divides objects into small and large by them.
        source_boxes: `(boxes, 4)`, float64: left, top, width, height exactly as in the dataset's
            files; the metric uses them, as pycocotools does. A box that leaves its image by more
            than a pixel is as cut.
        annotation_ids: `(boxes,)`, int64.
        orientations: `(images,)`, int32: the EXIF orientation by which an image is turned to the
            size and boxes here, 1 where it is as stored.
        dropped_images: Images left out because something is wrong with them; in Pascal VOC, also
            names that the list repeats.
        dropped_boxes: Boxes left out because something is wrong with them or their image.
        cut_boxes: Boxes that leave their image by more than a pixel and are cut at its edge.
        notes: A line for each thing that was left out or assumed beyond that.
    """

    category_ids: np.ndarray
    image_ids: np.ndarray
    image_names: tuple[str, ...]
    sizes: np.ndarray
    paths: tuple[str, ...]
    spans: np.ndarray
    first_box: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    areas: np.ndarray
    source_boxes: np.ndarray
    annotation_ids: np.ndarray
    orientations: np.ndarray
    dropped_images: int = 0
    dropped_boxes: int = 0
    cut_boxes: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.image_ids)

    def rows(self, image: int) -> slice:
        """Returns the rows of the boxes of an image."""
        return slice(int(self.first_box[image]), int(self.first_box[image + 1]))

    def box_counts(self) -> np.ndarray:
        """Returns `(images,)`, int64: how many boxes each image has, crowds included."""
        return np.diff(self.first_box)

    def summary(self) -> str:
        """Returns a line about how much there is, of each class where there are few."""
        names, labels = self.class_names, self.labels[~self.crowd]
        kinds = f"{len(names)} class{'es' if len(names) != 1 else ''}"
        if len(names) <= _FEW:
            counts = np.bincount(labels, minlength=len(names))
            each = (f"{name!r} {count}" for name, count in zip(names, counts, strict=True))
            kinds += f" ({', '.join(each)})"
        whole = not (self.dropped_images or self.dropped_boxes or self.cut_boxes)
        return (
            f"{self.split}: {len(self)} images, {len(labels)} objects of {kinds}"
            f"{'; no box is left out or cut' if whole else ''}"
        )

    def remarks(self) -> list[str]:
        """Returns a line for each thing that is left out, changed or assumed."""
        lines = []
        if self.dropped_images or self.dropped_boxes:
            lines.append(
                f"{self.split}: {self.dropped_images} images and {self.dropped_boxes} boxes are "
                "left out"
            )
        if self.cut_boxes:
            lines.append(
                f"{self.split}: {self.cut_boxes} boxes leave their image by more than a pixel and "
                "are cut at its edge"
            )
        return [*self.notes, *lines]

    def place(self, image_id: int) -> int:
        """Returns the index of an image.

        Raises:
            ValueError: The image is not in the split.
        """
        found = np.flatnonzero(self.image_ids == image_id)
        if not found.size:
            raise ValueError(f"dataset {self.name}: {self.split} has no image with id {image_id}")
        return int(found[0])

    def encoded(self, image: int) -> bytes:
        """Reads the encoded image.

        Raises:
            OSError: The file cannot be read.
        """
        return _read_span(self.paths[image], self.spans[image])

    def pixels(self, image: int) -> np.ndarray:
        """Reads and decodes an image, `(height, width, 3)`, uint8, turned as its boxes are.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is damaged.
        """
        return decode_image(self.encoded(image), upright=bool(self.orientations[image] != UPRIGHT))

    def reader(self) -> Callable[..., Any]:
        """Returns `index -> (encoded image, orientation, size, boxes, labels, crowd, image id)`."""
        import tensorflow as tf

        paths, spans = tf.constant(self.paths), tf.constant(self.spans)
        sizes, ids, first = map(tf.constant, (self.sizes, self.image_ids, self.first_box))
        turns = bool((self.orientations != UPRIGHT).any())
        orientations = tf.constant(self.orientations)
        by_box = [tf.constant(values) for values in (self.boxes, self.labels, self.crowd)]
        # TensorFlow reads an image in a file of its own, without Python.
        has_own_files = bool(self.own_files())

        def read(index: Any) -> tuple[Any, ...]:
            if has_own_files:
                encoded = tf.io.read_file(paths[index])
            else:
                place = [paths[index], spans[index]]
                encoded = tf.numpy_function(_read_span, place, tf.string, stateful=False)
            rows = slice(first[index], first[index + 1])
            boxes, labels, crowd = (values[rows] for values in by_box)
            encoded = tf.ensure_shape(encoded, ())
            orientation = orientations[index] if turns else UPRIGHT
            return encoded, orientation, sizes[index], boxes, labels, crowd, ids[index]

        return read

    def own_files(self) -> tuple[str, ...]:
        return self.paths if (self.spans[:, 1] < 0).all() else ()

    def take(self, images: Iterable[int]) -> DetectionIndex:
        """Returns the images at these places, in this order, with their boxes."""
        chosen = np.fromiter(images, np.int64)
        slices = [self.rows(image) for image in chosen.tolist()]
        rows = [np.arange(part.start, part.stop) for part in slices]
        boxes = np.concatenate([np.zeros(0, np.int64), *rows])
        by_box = ("boxes", "labels", "crowd", "areas", "source_boxes", "annotation_ids")
        by_image = ("image_ids", "sizes", "spans", "orientations")
        return replace(
            self,
            image_names=tuple(self.image_names[image] for image in chosen),
            paths=tuple(self.paths[image] for image in chosen),
            first_box=np.cumsum([0, *(len(part) for part in rows)]).astype(np.int64),
            **{name: getattr(self, name)[chosen] for name in by_image},
            **{name: getattr(self, name)[boxes] for name in by_box},
        )

    def digest(self) -> str:
        """Returns a digest of these images and boxes, independent of their place on disk."""
        digest = hashlib.blake2b(digest_size=16)
        for values in (self.image_ids, self.sizes, self.first_box, self.source_boxes, self.labels):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def select(self, image_ids: Iterable[int]) -> DetectionIndex:
        """Returns the images with these ids, in their order here, e.g. of a mini-val list.

        Raises:
            ValueError: An image is not in the split.
        """
        wanted = np.unique(np.fromiter(image_ids, np.int64))
        unknown = np.setdiff1d(wanted, self.image_ids)
        if unknown.size:
            raise ValueError(
                f"dataset {self.name}: {self.split} has no image with id {unknown[0]}"
                + (f", nor {unknown.size - 1} others of the list" if unknown.size > 1 else "")
            )
        return self.take(np.flatnonzero(np.isin(self.image_ids, wanted)))

    def part(self, start: int, stop: int) -> DetectionIndex:
        """Returns the images from `start` to before `stop`."""
        is_all = (start, stop) == (0, len(self))
        return self if is_all else self.take(range(start, stop))

    def describe(self, index: int) -> str:
        """Returns the path and the id of an image."""
        return f"{self.paths[index]} (image {self.image_ids[index]})"


def _read_span(path: str | bytes, span: np.ndarray) -> bytes:
    with Path(os.fsdecode(path)).open("rb") as file:
        file.seek(int(span[0]))
        return file.read(int(span[1]))
