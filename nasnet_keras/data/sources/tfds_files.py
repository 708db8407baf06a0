"""Datasets that TensorFlow Datasets prepared, read from its files: TFDS itself is not needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.example_files import RecordFile, RecordFiles
from nasnet_keras.data.sources.split import Split
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.text.plain_text import shown

BUILD = "run `pip install tensorflow-datasets` and `tfds build {name} --data_dir={dir}`"
BUILD_OR_SLIM = f"{BUILD}, or put slim's TFRecord files there"
INFO = "dataset_info.json"
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


class TfdsFiles(DatasetFormat):
    """One version of a prepared dataset; its root is where `dataset_info.json` is."""

    names: ClassVar[Mapping[str, str]] = {
        "imagenet2012": (
            "download ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from "
            "https://image-net.org/download-images to {dir}/downloads/manual, then run `tfds build "
            "imagenet2012 --data_dir={dir}`, or put slim's train-00000-of-01024 ... there"
        ),
        "tf_flowers": BUILD_OR_SLIM,
    }

    @classmethod
    def find(cls, root: Path, name: str = "") -> TfdsFiles | None:
        """Finds a prepared dataset.

        Args:
            root: The data_dir of TFDS, or the dataset's own directory.
            name: Its TFDS name: `"cifar10"`, `"cifar10:3.0.2"` for a version (otherwise the
                newest), `"name/config"` for a configuration; empty for whatever has its own
                directory.
        """
        plain, _, version = name.partition(":")
        if (root / INFO).exists():
            own = _read(root / INFO).get("name")
            return cls(name, root) if name == "" or own == plain.split("/")[0] else None
        versions = [
            path.parent
            for path in (root / plain).glob(f"*/{INFO}")
            if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name)
            and version in ("", path.parent.name)
        ]
        versions.sort(key=lambda path: [int(x) for x in path.name.split(".")])
        return cls(name, versions[-1]) if versions else None

    def splits(self) -> list[str]:
        return [split["name"] for split in self.info().get("splits", [])]

    def info(self) -> dict[str, Any]:
        """Reads the description of the dataset."""
        return _read(self.root / INFO)

    def features(self) -> dict[str, Any]:
        """Reads the description of the features, by their names."""
        content = _read(self.root / "features.json")
        return content.get("featuresDict", {}).get("features", {})

    def label_names(self, key: str, feature: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the names of the classes of a `classLabel` feature.

        Args:
            key: Name of the feature, levels joined by `-`.
            feature: Its description.
        """
        count = int(feature["classLabel"]["numClasses"])
        names = self.root / f"{key}.labels.txt"
        if names.exists():
            return tuple(names.read_text().split("\n")[:count])
        return tuple(str(label) for label in range(count))

    def read(self, split: Split) -> RecordFiles:
        features = self.features()
        images = [key for key, value in features.items() if "image" in value]
        labels = [key for key, value in features.items() if "classLabel" in value]
        if not images or not labels:
            raise ValueError(
                f"dataset {self.name} in {self.root} is not one of images with one label each"
            )
        # Where there are several (CIFAR-100 has coarse labels too), TFDS's convention decides.
        image = "image" if "image" in images else images[0]
        label = "label" if "label" in labels else labels[0]
        return self.records(split, self.label_names(label, features[label]), image, label)

    def records(
        self, split: Split, class_names: tuple[str, ...], image_key: str, label_key: str
    ) -> RecordFiles:
        """Finds the files of a split, whatever its features; see `RecordFiles`.

        Raises:
            FileNotFoundError: A file of the split is missing.
            ValueError: Its files are not TFRecord files.
        """
        info = self.info()
        name = info["name"]
        form = info.get("fileFormat") or "tfrecord"
        if form != "tfrecord":
            raise ValueError(
                f"dataset {name} in {self.root} has the file format {form}: prepare it as "
                f"tfrecord (tfds build {name} --file_format=tfrecord)"
            )
        entry = next(entry for entry in info["splits"] if entry["name"] == split.name)
        lengths = [int(length) for length in entry["shardLengths"]]
        template = entry.get("filepathTemplate") or _TEMPLATE
        files = []
        for index, length in enumerate(lengths):
            values = {
                "DATASET": name,
                "SPLIT": split.name,
                "FILEFORMAT": form,
                "SHARD_INDEX": f"{index:05d}",
                "NUM_SHARDS": f"{len(lengths):05d}",
                "SHARD_X_OF_Y": f"{index:05d}-of-{len(lengths):05d}",
            }
            path = self.root / template.format(**values)
            if not path.exists():
                raise FileNotFoundError(f"dataset {name}: {path} is missing")
            files.append(RecordFile(path, 0, length))
        return split.of(
            RecordFiles(name, str(split), class_names, tuple(files), image_key, label_key)
        )


def prepare_tfds(name: str, dataset_dir: str | os.PathLike[str]) -> None:
    """Downloads a dataset with TFDS and writes it to disk; may take hours.

    Raises:
        ValueError: TFDS is not installed, or does not know the dataset.
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


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(path.read_text())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing: not a dataset of TFDS") from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it is not an object, but {shown(content)}")
    return content
