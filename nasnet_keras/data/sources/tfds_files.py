"""Datasets that TensorFlow Datasets prepared, read from its files: TFDS itself is not needed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from nasnet_keras.data.sources.example_files import RecordFile, RecordFiles
from nasnet_keras.data.sources.split import parse_split

_INFO = "dataset_info.json"
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def find_tfds(name: str, dataset_dir: str | os.PathLike[str]) -> Path | None:
    """Finds a prepared dataset.

    Args:
        name: Its TFDS name: `"cifar10"`, `"cifar10:3.0.2"` for a version (otherwise the newest),
            `"name/config"` for a configuration.
        dataset_dir: The data_dir of TFDS, or the dataset's own directory, with
            `dataset_info.json`.

    Returns:
        The directory of the version, or `None` where there is none.
    """
    name, _, version = name.partition(":")
    root = Path(dataset_dir)
    if (root / _INFO).exists():
        own = json.loads((root / _INFO).read_text())
        return root if own.get("name") == name.split("/")[0] else None
    versions = [
        path.parent
        for path in (root / name).glob(f"*/{_INFO}")
        if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name) and version in ("", path.parent.name)
    ]
    return max(versions, key=lambda path: [int(x) for x in path.name.split(".")], default=None)


def tfds_splits(directory: Path) -> list[str]:
    """Returns the names of the splits.

    Raises:
        ValueError: The description of the dataset is damaged.
    """
    return [split["name"] for split in _read(directory / _INFO).get("splits", [])]


def read_tfds(directory: Path, split: str) -> RecordFiles:
    """Finds the files of a split.

    Args:
        directory: What `find_tfds` returned.
        split: A split, or a part of one, e.g. `"train[:45000]"`.

    Returns:
        The files, with the names of the classes.

    Raises:
        FileNotFoundError: A file of the split is missing.
        ValueError: There is no such split, or the dataset is none of labelled images in TFRecord
            files.
    """
    image_key, label_key, classes = _features(directory, _read(directory / _INFO)["name"])
    return find_records(directory, split, classes, image_key, label_key)


def find_records(
    directory: Path, split: str, class_names: tuple[str, ...], image_key: str, label_key: str
) -> RecordFiles:
    """Finds the files of a split, whatever its features.

    Args:
        directory: What `find_tfds` returned.
        split: A split or a part of one.
        class_names: Names of the classes.
        image_key: Feature that holds the encoded image.
        label_key: Feature that holds the label.

    Returns:
        The files.

    Raises:
        FileNotFoundError: A file of the split is missing.
        ValueError: There is no such split, or its files are no TFRecord files.
    """
    info = _read(directory / _INFO)
    name = info["name"]
    wanted = parse_split(split, name, tfds_splits(directory))
    form = info.get("fileFormat") or "tfrecord"
    if form != "tfrecord":
        raise ValueError(
            f"dataset {name} in {directory} has the file format {form}: prepare it as tfrecord "
            f"(tfds build {name} --file_format=tfrecord)"
        )
    entry = next(entry for entry in info["splits"] if entry["name"] == wanted.name)
    lengths = [int(length) for length in entry["shardLengths"]]
    template = entry.get("filepathTemplate") or _TEMPLATE
    files = []
    for number, length in enumerate(lengths):
        values = {
            "DATASET": name,
            "SPLIT": wanted.name,
            "FILEFORMAT": form,
            "SHARD_INDEX": f"{number:05d}",
            "NUM_SHARDS": f"{len(lengths):05d}",
            "SHARD_X_OF_Y": f"{number:05d}-of-{len(lengths):05d}",
        }
        path = directory / re.sub(r"\{(\w+)\}", lambda m, v=values: v[m[1]], template)
        if not path.exists():
            raise FileNotFoundError(f"dataset {name}: {path} is missing")
        files.append(RecordFile(path, 0, length))
    whole = RecordFiles(name, split, class_names, tuple(files), image_key, label_key)
    return whole.part(*wanted.range(len(whole)))


def prepare_tfds(name: str, dataset_dir: str | os.PathLike[str]) -> None:
    """Downloads a dataset with TFDS and writes it to disk; may take hours.

    Raises:
        ValueError: TFDS is not installed, or knows no such dataset.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ValueError(
            f"downloading {name} needs TensorFlow Datasets: pip install 'nasnet-keras[data]'"
        ) from error
    try:
        builder = tfds.builder(name, data_dir=os.fspath(dataset_dir), file_format="tfrecord")
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(f"TensorFlow Datasets has no dataset {name!r}") from error
    builder.download_and_prepare(file_format="tfrecord")


def _features(directory: Path, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Returns the names of the image and the label feature, and of the classes."""
    features = _read(directory / "features.json").get("featuresDict", {}).get("features", {})
    images = [key for key, value in features.items() if "image" in value]
    labels = [key for key, value in features.items() if "classLabel" in value]
    # Where there are several (CIFAR-100 has coarse labels too), TFDS's convention decides.
    image = "image" if "image" in images else next(iter(images), None)
    label = "label" if "label" in labels else next(iter(labels), None)
    if image is None or label is None:
        raise ValueError(f"dataset {name} in {directory} is not one of images with one label each")
    names = directory / f"{label}.labels.txt"
    if names.exists():
        return image, label, tuple(names.read_text().split("\n")[: _classes(features[label])])
    return image, label, tuple(str(number) for number in range(_classes(features[label])))


def _classes(feature: dict[str, Any]) -> int:
    return int(feature["classLabel"]["numClasses"])


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing: not a dataset of TFDS") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
