"""Small datasets on disk, in each format, for the tests of streams."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def write_examples(path: Path, examples: list[dict[str, list[Any]]]) -> None:
    """Writes a TFRecord file of examples, each of lists of bytes, floats or integers."""
    import tensorflow as tf

    def feature(values: list[Any]) -> Any:
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            features = {name: feature(values) for name, values in example.items()}
            features = tf.train.Features(feature=features)
            writer.write(tf.train.Example(features=features).SerializeToString())


def write_records(path: Path, images: list[bytes], labels: list[int], prefix: str = "") -> None:
    """Writes examples as slim does, or as TFDS does where the features are `image`, `label`."""
    image_key, label_key = ("image/encoded", "image/class/label") if prefix else ("image", "label")
    more = {"name": [b"x"], "weight": [0.5, 1.5]}
    write_examples(
        path,
        [
            {image_key: [image], label_key: [label]} | more
            for image, label in zip(images, labels, strict=True)
        ],
    )


def flat_pngs(count: int) -> list[bytes]:
    """Images of one colour, whose red is the number of the image."""
    files = [io.BytesIO() for _ in range(count)]
    for n, file in enumerate(files):
        Image.new("RGB", (8, 8), (n % 250, n // 250, 0)).save(file, "PNG")
    return [file.getvalue() for file in files]


def write_slim(folder: Path, counts: list[int], split: str = "train", classes: int = 5) -> None:
    """Writes slim's files of flat images, numbered through all files; label = number % classes."""
    folder.mkdir(parents=True, exist_ok=True)
    images, start = flat_pngs(sum(counts)), 0
    for shard, count in enumerate(counts):
        numbers = range(start, start + count)
        path = folder / f"{split}-{shard:05d}-of-{len(counts):05d}"
        write_records(path, [images[n] for n in numbers], [n % classes for n in numbers], "slim")
        start += count
    lines = [f"{n}:class {n}" for n in range(classes)]
    # As an editor on Windows leaves it.
    (folder / "labels.txt").write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())


def write_tfds(data_dir: Path, name: str, counts: list[int], version: str = "1.0.0") -> Path:
    """Writes a TFDS dataset of flat images with the splits `train` and `test`, ten classes."""
    more = {"name": [b"x"], "weight": [0.5, 1.5]}
    examples = [
        {"image": [image], "label": [n % 10]} | more
        for n, image in enumerate(flat_pngs(sum(counts)))
    ]
    features = {
        "image": {"image": {"encodingFormat": "png"}},
        "label": {"classLabel": {"numClasses": "10"}},
    }
    folder = write_tfds_examples(data_dir / name / version, name, counts, examples, features)
    (folder / "label.labels.txt").write_text("\n".join(f"kind {n}" for n in range(10)) + "\n")
    return folder


def write_tfds_boxes(data_dir: Path, counts: list[int]) -> Path:
    """Writes `coco/2017` of flat images, each with one box of the upper half, two classes."""
    examples = [
        {
            "image": [image],
            "image/filename": [f"{n}.png".encode()],
            "image/id": [100 + n],
            "objects/bbox": [0.0, 0.0, 0.5, 1.0],
            "objects/label": [n % 2],
        }
        for n, image in enumerate(flat_pngs(sum(counts)))
    ]
    parts = {
        "bbox": {"boundingBox": {"bboxFormat": "REL_YXYX"}},
        "label": {"classLabel": {"numClasses": "2"}},
    }
    objects = {"sequence": {"feature": {"featuresDict": {"features": parts}}}}
    features = {"image": {"image": {"encodingFormat": "png"}}, "objects": objects}
    place = data_dir / "coco" / "2017" / "1.1.0"
    folder = write_tfds_examples(place, "coco", counts, examples, features)
    (folder / "objects-label.labels.txt").write_text("cat\ndog\n")
    return folder


def write_tfds_examples(
    folder: Path,
    name: str,
    counts: list[int],
    examples: list[dict[str, list[Any]]],
    features: dict[str, Any],
) -> Path:
    """Writes examples as the splits `train` and `test` of a TFDS dataset."""
    folder.mkdir(parents=True)
    splits = []
    for split in ("train", "test"):
        start = 0
        for shard, count in enumerate(counts):
            path = folder / f"{name}-{split}.tfrecord-{shard:05d}-of-{len(counts):05d}"
            write_examples(path, examples[start : start + count])
            start += count
        splits.append({"name": split, "shardLengths": [str(count) for count in counts]})
    info = {"name": name, "fileFormat": "tfrecord", "splits": splits, "version": folder.name}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    (folder / "features.json").write_text(json.dumps({"featuresDict": {"features": features}}))
    return folder


def write_image_folder(folder: Path, per_class: int = 6) -> None:
    """Writes `train` and `validation` of the classes cat and dog; red is the number, dogs odd."""
    for split in ("train", "validation"):
        for number, image in enumerate(flat_pngs(2 * per_class)):
            place = folder / split / ("cat", "dog")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.png").write_bytes(image)
