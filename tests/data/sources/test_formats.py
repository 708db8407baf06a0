"""What every format of datasets keeps to, of labelled images and of images with boxes.

A new format has an entry in `DATASETS`; see docs/data.md.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.data.sources import registry
from nasnet_keras.data.sources.cifar import PackedCifar, PreparedCifar
from nasnet_keras.data.sources.dataset_format import DatasetFormat
from nasnet_keras.data.sources.digits import Digits
from nasnet_keras.data.sources.example_files import ImageFiles
from nasnet_keras.data.sources.image_folder import ImageFolder
from nasnet_keras.data.sources.slim_files import SlimFiles
from nasnet_keras.data.sources.tfds_files import TfdsFiles
from nasnet_keras.detection.data import datasets, load_detection_index
from nasnet_keras.detection.data.coco_files import CocoDirectory
from nasnet_keras.detection.data.detection_format import DetectionFormat
from nasnet_keras.detection.data.tfds_boxes import TfdsBoxes
from nasnet_keras.detection.data.voc_files import VocDirectory
from tests.data.record_files import (
    flat_pngs,
    write_image_folder,
    write_slim,
    write_tfds,
    write_tfds_boxes,
)
from tests.detection.data.coco_directory import write_coco
from tests.detection.data.layouts import (
    CELLS,
    write_bccd,
    write_cvat,
    write_label_studio,
    write_labelimg,
    write_roboflow,
)
from tests.detection.data.voc_directory import write_voc

KINDS = tuple(f"kind {n}" for n in range(10))


@dataclass
class Dataset:
    """A dataset of a format, written for its tests.

    Attributes:
        name: What it is called.
        write: Writes it into a directory.
        classes: Names of its classes.
        train: How many examples `train` has.
        splits: Names of its splits.
        missing: A part of what is said where it is missing.
        needs_tensorflow: Whether `write` does.
    """

    name: str
    write: Callable[[Path], object]
    classes: tuple[str, ...]
    train: int
    splits: tuple[str, ...] = ("train", "test")
    missing: str = ""
    needs_tensorflow: bool = False


def write_packed(folder: Path) -> None:
    images = np.stack([np.asarray(Image.open(io.BytesIO(png))) for png in flat_pngs(7)])
    splits = {f"{split}_images": images for split in ("train", "test")}
    labels = {f"{split}_labels": np.arange(7) for split in ("train", "test")}
    np.savez(folder / "cifar10.npz", class_names=np.array(KINDS), **splits, **labels)


def write_coco_splits(folder: Path) -> None:
    content = {
        "images": [
            {"id": 10 + n, "file_name": f"{n}.png", "height": 6 + n, "width": 8} for n in range(5)
        ],
        "annotations": [],
        "categories": [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}],
    }
    for split in ("train", "val"):
        write_coco(folder, content, split)


def write_voc_images(folder: Path) -> None:
    for n in range(4):
        write_voc(folder, [("dog", (1, 1, 10 + n, 60), 0)], f"{n:06d}")


DATASETS = {
    Digits: Dataset("digits", lambda folder: None, tuple("0123456789"), 1437),
    PackedCifar: Dataset("cifar10", write_packed, KINDS, 7, missing="put cifar10.npz there"),
    PreparedCifar: Dataset(
        name="cifar10",
        write=lambda folder: write_tfds(folder, "cifar10", [3, 4]),
        classes=KINDS,
        train=7,
        missing="tfds build cifar10 --data_dir=",
        needs_tensorflow=True,
    ),
    TfdsFiles: Dataset(
        name="plants",
        write=lambda folder: write_tfds(folder, "plants", [3, 4]),
        classes=KINDS,
        train=7,
        missing="tfds build plants --data_dir=",
        needs_tensorflow=True,
    ),
    ImageFolder: Dataset(
        name="image_folder",
        write=write_image_folder,
        classes=("cat", "dog"),
        train=12,
        splits=("train", "validation"),
        missing="holds no folders like train/<class>/<image>.jpg or <class>/<image>.jpg",
    ),
    SlimFiles: Dataset(
        name="birds",
        write=lambda folder: write_slim(folder, [3, 0, 5]),
        classes=tuple(f"class {n}" for n in range(5)),
        train=8,
        splits=("train",),
        missing="put slim's TFRecord files there",
        needs_tensorflow=True,
    ),
    TfdsBoxes: Dataset(
        name="coco/2017",
        write=lambda folder: write_tfds_boxes(folder, [2, 3]),
        classes=("cat", "dog"),
        train=5,
        missing="coco/2017 (TensorFlow Datasets)",
        needs_tensorflow=True,
    ),
    CocoDirectory: Dataset(
        name="coco",
        write=write_coco_splits,
        classes=("cat", "dog"),
        train=5,
        splits=("train", "val"),
        missing="annotations/instances_*.json (COCO)",
    ),
    VocDirectory: Dataset(
        name="voc",
        write=write_voc_images,
        classes=("dog",),
        train=4,
        splits=("train",),
        missing="ImageSets/Main (Pascal VOC)",
    ),
}


_DIVIDED = ("train", "val", "test")
# The same formats as other tools lay them out.
LAYOUTS = [
    (CocoDirectory, Dataset("roboflow", write_roboflow, CELLS, 6, ("test", "train", "valid"))),
    (CocoDirectory, Dataset("cvat", write_cvat, CELLS, 4, (*_DIVIDED, "default"))),
    (CocoDirectory, Dataset("label_studio", write_label_studio, CELLS, 4, (*_DIVIDED, "all"))),
    (VocDirectory, Dataset("bccd", write_bccd, CELLS, 6, ("test", "train", "trainval", "val"))),
    (VocDirectory, Dataset("labelimg", write_labelimg, CELLS, 4, (*_DIVIDED, "all"))),
]
MISSING = {form: dataset.missing for form, dataset in DATASETS.items()}


@pytest.fixture(
    params=[
        pytest.param(
            each,
            marks=pytest.mark.tensorflow if each[1].needs_tensorflow else (),
            id=f"{each[0].__name__}-{each[1].name}",
        )
        for each in (*DATASETS.items(), *LAYOUTS)
    ],
)
def case(request):
    return request.param


@pytest.fixture
def form(case):
    return case[0]


@pytest.fixture
def dataset(case):
    return case[1]


@pytest.fixture
def found(form, dataset, tmp_path):
    """The dataset of a format, written and found again."""
    dataset.write(tmp_path)
    result = form.find(tmp_path, dataset.name)
    assert result is not None
    return result


def test_every_format_is_tested_here():
    assert {*registry.FORMATS, *datasets.FORMATS} == set(DATASETS)


def examples(found, split):
    return (found.load if found.in_memory else found.read)(found.parse(split))


def listed(examples) -> list[object]:
    """Returns what tells the examples of a dataset from each other."""
    if hasattr(examples, "images"):
        pairs = zip(examples.images, examples.labels, strict=True)
        return [(image.tobytes(), label) for image, label in pairs]
    return [examples.describe(index) for index in range(len(examples))]


def test_format_says_its_splits_and_classes(dataset, found):
    assert tuple(found.splits()) == dataset.splits
    for split in found.splits():
        assert examples(found, split).class_names == dataset.classes
    assert len(examples(found, "train")) == dataset.train


def test_disjoint_splits_have_every_example_once(form, dataset, found):
    if form not in (ImageFolder, CocoDirectory, VocDirectory):
        pytest.skip("its splits are the files' own")
    names = found.disjoint_splits()
    assert set(names) <= set(dataset.splits) and "trainval" not in names
    every = [line for name in found.splits() for line in listed(examples(found, name))]
    once = [line for name in names for line in listed(examples(found, name))]
    assert len({*once}) == len(once)
    # A place on a list is the id, so that `trainval` has other ones.
    assert {line.split(" (")[0] for line in every} == {line.split(" (")[0] for line in once}


def test_part_of_a_split_is_those_examples_of_the_whole(form, found):
    whole = listed(examples(found, "train"))
    for part, rows in (
        ("train[1:3]", slice(1, 3)),
        ("train[2:]", slice(2, None)),
    ):
        assert listed(examples(found, part)) == whole[rows]
    first, rest = (listed(examples(found, f"train[{part}]")) for part in (":50%", "50%:"))
    assert len(first) == round(len(whole) / 2)
    # Formats of one's own files have every class in proportion in parts of this kind.
    assert [each for each in whole if each in first] == first
    assert sorted([*first, *rest]) == sorted(whole)
    with pytest.raises(ValueError, match=r"train\[9999:\] has no example: train has"):
        examples(found, "train[9999:]")


def test_missing_split_suggests_the_nearest(form, found):
    with pytest.raises(ValueError, match="unknown split of .* 'trian'; did you mean 'train'"):
        found.parse("trian")


def test_missing_dataset_says_what_to_do(form, dataset, tmp_path):
    if not form.needs_directory:
        pytest.skip("it comes with a package")
    if issubclass(form, DetectionFormat):
        with pytest.raises(ValueError) as caught:
            load_detection_index(tmp_path, "train")
    else:
        with pytest.raises(FileNotFoundError) as caught:
            registry.check_dataset(dataset.name, "train", tmp_path)
    assert MISSING[form] in str(caught.value) and "\n" not in str(caught.value)


def test_format_is_loaded_or_streamed(form, found):
    split = found.parse("train")
    if not found.in_memory:
        with pytest.raises(ValueError, match="it is streamed from disk"):
            found.load(split)
    if form.read is DatasetFormat.read:
        with pytest.raises(ValueError, match="load it with load_dataset"):
            found.read(split)


@pytest.mark.tensorflow
def test_every_example_is_read(form, found):
    from nasnet_keras.data.streams.stream import BatchPlan, open_stream

    if form.read is DatasetFormat.read:
        pytest.skip("it is in memory")

    def encoded(own, key):
        read = own.reader()
        return lambda position, *place: read(*place)[0]

    listed = found.read(found.parse("train"))
    images = [
        image for batch in open_stream(listed, BatchPlan(3, False), encoded) for image in batch
    ]
    assert len(images) == len(listed)
    for image in images:
        assert Image.open(io.BytesIO(image)).convert("RGB").size[0] > 0
    if issubclass(form, DetectionFormat):
        with pytest.raises(ValueError, match="can be read by TensorFlow only"):
            listed.loader()
    else:
        assert [listed.loader()(index)[0] for index in range(len(listed))] == images


@pytest.mark.tensorflow
def test_format_of_ones_own_is_a_class_and_a_line(monkeypatch, tmp_path):
    class Flat(DatasetFormat):
        """Images in one directory; the first letter of a name is the class."""

        names: ClassVar[dict[str, str]] = {"flat": "put a*.png and b*.png there"}

        def splits(self):
            return ["train"] if list(self.root.glob("*.png")) else []

        def read(self, split):
            paths = sorted(self.root.glob("*.png"))
            labels = tuple("ab".index(path.name[0]) for path in paths)
            return split.of(ImageFiles(self.name, str(split), ("a", "b"), tuple(paths), labels))

    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, Flat))
    with pytest.raises(FileNotFoundError, match=r"put a\*.png and b\*.png there"):
        registry.check_dataset("flat", "train", tmp_path)
    for name, png in zip(("a1", "b1", "b2"), flat_pngs(3), strict=True):
        (tmp_path / f"{name}.png").write_bytes(png)
    from nasnet_keras.data import image_batches

    ((images, labels),) = image_batches(
        "flat", "train[1:]", tmp_path, "scale", 8, 4, training=False
    )
    assert labels.tolist() == [1, 1]
    np.testing.assert_allclose((images[:, 0, 0, 0] + 1) * 127.5, [1, 2], atol=1e-4)
