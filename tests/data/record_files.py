"""Small datasets on disk, in each format, for the tests of streams."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def write_records(path: Path, images: list[bytes], labels: list[int], prefix: str = "") -> None:
    """Writes examples as slim does, or as TFDS does where the features are `image`, `label`."""
    import tensorflow as tf

    image_key, label_key = ("image/encoded", "image/class/label") if prefix else ("image", "label")
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image, label in zip(images, labels, strict=True):
            feature = {
                image_key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
                label_key: tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"])),
                "weight": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1.5])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def flat_pngs(count: int) -> list[bytes]:
    """Images of one colour, whose red is the number of the image."""
    import tensorflow as tf

    return [
        tf.io.encode_png(np.full((8, 8, 3), (n % 250, n // 250, 0), np.uint8)).numpy()
        for n in range(count)
    ]


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
    (folder / "labels.txt").write_text("\n".join(lines) + "\n")


def write_tfds(data_dir: Path, name: str, counts: list[int], version: str = "1.0.0") -> Path:
    """Writes a TFDS dataset of flat images with the splits `train` and `test`, ten classes."""
    folder = data_dir / name / version
    folder.mkdir(parents=True)
    splits = []
    for split in ("train", "test"):
        images, start = flat_pngs(sum(counts)), 0
        for shard, count in enumerate(counts):
            numbers = range(start, start + count)
            path = folder / f"{name}-{split}.tfrecord-{shard:05d}-of-{len(counts):05d}"
            write_records(path, [images[n] for n in numbers], [n % 10 for n in numbers])
            start += count
        splits.append({"name": split, "shardLengths": [str(count) for count in counts]})
    info = {"name": name, "fileFormat": "tfrecord", "splits": splits, "version": version}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    features = {
        "image": {"image": {"encodingFormat": "png"}},
        "label": {"classLabel": {"numClasses": "10"}},
    }
    (folder / "features.json").write_text(json.dumps({"featuresDict": {"features": features}}))
    (folder / "label.labels.txt").write_text("\n".join(f"kind {n}" for n in range(10)) + "\n")
    return folder


def write_image_folder(folder: Path, per_class: int = 6) -> None:
    """Writes `train` and `validation` of the classes cat and dog; red is the number, dogs odd."""
    for split in ("train", "validation"):
        for number, image in enumerate(flat_pngs(2 * per_class)):
            place = folder / split / ("cat", "dog")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.png").write_bytes(image)
