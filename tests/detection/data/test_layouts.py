"""Datasets as the tools write them are read without renaming a file."""

import json
import shutil

import numpy as np
import pytest

from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.class_names import read_class_names
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.voc_files import read_voc
from tests.detection.data.layouts import (
    CELLS,
    coco,
    objects_of,
    write_bccd,
    write_cvat,
    write_label_studio,
    write_labelimg,
    write_picture,
    write_roboflow,
    xml,
)
from tests.detection.data.voc_directory import write_voc


def check(index, numbers):
    """Checks that the images have the pixels and the boxes of these numbers."""
    assert index.class_names == CELLS and len(index) == len(numbers)
    for place, number in enumerate(numbers):
        rows = index.rows(place)
        kinds = [index.class_names[label] for label in index.labels[rows]]
        boxes = [tuple(map(int, box)) for box in index.source_boxes[rows]]
        assert list(zip(kinds, boxes, strict=True)) == objects_of(number)
        assert index.encoded(place)


def test_bccd_is_read(tmp_path):
    write_bccd(tmp_path)
    check(load_detection_index(tmp_path, "train"), range(6))
    check(load_detection_index(tmp_path, "val"), range(6, 9))
    check(load_detection_index(tmp_path, "validation"), range(6, 9))
    check(load_detection_index(tmp_path, "trainval"), range(9))
    index = load_detection_index(tmp_path, "test")
    check(index, range(9, 12))
    assert index.image_names[0] == "BloodImage_00009.jpg" and index.category_ids.tolist() == [
        1,
        2,
        3,
    ]


def test_roboflow_is_read_without_its_group(tmp_path):
    write_roboflow(tmp_path)
    for split in ("train", "val", "valid", "test"):
        index = load_detection_index(tmp_path, split)
        check(index, range(6 if split == "train" else 3))
        assert index.category_ids.tolist() == [1, 2, 3] and index.image_ids[0] == 0
        assert index.remarks() == [
            "category 'cells' (id 0): left out, as it only groups other categories"
        ]
    path = tmp_path / "valid" / "_annotations.coco.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["bbox"] = [1, 1, 0, 0]
    path.write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=r"- valid/_annotations.coco.json: annotation 0 "):
        load_detection_index(tmp_path, "val")


def test_class_with_the_name_of_its_group_is_read(tmp_path):
    write_roboflow(tmp_path)
    path = tmp_path / "train" / "_annotations.coco.json"
    content = json.loads(path.read_text())
    for entry in content["categories"]:
        entry["supercategory"] = "RBC"
    content["categories"][0]["name"] = "RBC"
    path.write_text(json.dumps(content))
    check(load_detection_index(tmp_path, "train"), range(6))


def test_group_is_a_class_where_it_is_given_as_one(tmp_path):
    write_roboflow(tmp_path)
    # A run of an earlier version has it.
    index = load_detection_index(tmp_path, "val", class_names=("cells", *CELLS))
    assert index.category_ids.tolist() == [0, 1, 2, 3] and index.labels.min() == 1
    assert index.remarks() == []


def test_category_without_objects_that_groups_nothing_stays(tmp_path):
    write_cvat(tmp_path)
    path = tmp_path / "annotations" / "instances_default.json"
    content = json.loads(path.read_text())
    content["categories"].append({"id": 9, "name": "none yet", "supercategory": "none yet"})
    path.write_text(json.dumps(content))
    assert load_detection_index(tmp_path, "default").class_names[-1] == "none yet"


@pytest.mark.parametrize("folder", ["images", "images/default", "default", "frames"])
def test_cvat_is_read_wherever_its_images_are(tmp_path, folder):
    write_cvat(tmp_path)
    if folder != "images":
        (tmp_path / "images").rename(tmp_path / "moved")
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        (tmp_path / "moved").rename(tmp_path / folder)
    index = load_detection_index(tmp_path, "default")
    check(index, range(10))
    assert index.image_names[1] == "batch 1/frame_000001.png"


def test_subsets_of_cvat_are_the_splits(tmp_path):
    write_cvat(tmp_path, "Train", 4)
    write_cvat(tmp_path, "Validation", 3)
    check(load_detection_index(tmp_path, "train"), range(4))
    check(load_detection_index(tmp_path, "val"), range(3))


def test_voc_of_cvat_has_folders_in_its_names(tmp_path):
    names = [f"batch 1/frame {n}" for n in range(4)]
    for number, name in enumerate(names):
        write_picture(tmp_path / "JPEGImages" / f"{name}.PNG", number)
        path = tmp_path / "Annotations" / f"{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(xml(number, f"{name}.PNG"))
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("\n".join(names))
    (lists / "RBC_default.txt").write_text("\n".join(f"{name} 1" for name in names))
    check(load_detection_index(tmp_path, "default"), range(4))


@pytest.mark.parametrize(
    ("images", "files"),
    [("images", "xml"), ("JPEGImages", "Annotations"), (".", "."), ("photos", "photos")],
)
def test_labelimg_is_read(tmp_path, images, files):
    write_labelimg(tmp_path, images=images, files=files)
    check(load_detection_index(tmp_path, "all"), range(10))
    write_picture(tmp_path / images / "IMG_77.JPG", 0)
    index = load_detection_index(tmp_path, "all")
    assert index.remarks() == ["all: 1 images without an XML file are left out"]


def test_suffixes_of_xml_files_are_in_upper_or_lower_case(tmp_path):
    write_labelimg(tmp_path, 3)
    for number, suffix in enumerate((".XML", ".Xml")):
        name = f"IMG_{number}"
        (tmp_path / "xml" / f"{name}.xml").rename(tmp_path / "xml" / f"{name}{suffix}")
    check(load_detection_index(tmp_path, "all"), range(3))


def test_lists_of_voc_may_have_marks_folders_and_suffixes(tmp_path):
    write_bccd(tmp_path, (2, 1, 1))
    lines = ["\ufeffJPEGImages/BloodImage_00000.jpg", " BloodImage_00001 ", "", ""]
    (tmp_path / "ImageSets/Main/train.txt").write_bytes("\r\n".join(lines).encode())
    check(load_detection_index(tmp_path, "train"), range(2))


def test_names_are_found_in_either_form_of_unicode(tmp_path):
    # macOS may take letters and accents apart.
    whole, apart = "caf\u00e9.png", "cafe\u0301.png"
    for name, other in ((whole, apart), (apart, whole)):
        folder = tmp_path / str(len(name))
        write_picture(folder / "photos" / other, 0)
        (folder / "train.json").write_text(json.dumps(coco([name])))
        index = load_detection_index(folder, "train")
        assert index.paths == (str(folder / "photos" / other),) and index.image_names == (name,)


def test_voc_of_roboflow_has_a_folder_for_each_split(tmp_path):
    for split, count in (("train", 5), ("valid", 2)):
        write_labelimg(tmp_path, count, images=split, files=split)
    check(load_detection_index(tmp_path, "train"), range(5))
    check(load_detection_index(tmp_path, "val"), range(2))


def test_image_that_the_xml_names_is_read_where_none_is_named_as_the_xml(tmp_path):
    write_labelimg(tmp_path, 2)
    (tmp_path / "xml" / "IMG_0.xml").rename(tmp_path / "xml" / "0.xml")
    assert load_detection_index(tmp_path, "all").image_names == ("IMG_0.JPG", "IMG_1.JPG")
    shutil.copy(tmp_path / "images" / "IMG_1.JPG", tmp_path / "images" / "IMG_1.png")
    assert load_detection_index(tmp_path, "all").image_names[1] == "IMG_1.JPG"


def test_label_studio_is_read(tmp_path):
    write_label_studio(tmp_path)
    check(load_detection_index(tmp_path, "all"), range(10))


@pytest.mark.parametrize(
    "name",
    ["sub\\a.png", "/data/upload/1/sub/a.png", "C:\\ann\\a.png", "s3://bucket/a.png", "../a.png"],
)
def test_paths_of_the_labelling_machine_are_looked_for_in_the_folder(tmp_path, name):
    below = "sub/a.png" if name.startswith("sub") else "a.png"
    write_picture(tmp_path / "images" / below, 0)
    (tmp_path / "result.json").write_text(json.dumps(coco([name])))
    index = load_detection_index(tmp_path, "all")
    assert index.paths == (str(tmp_path / "images" / below),) and index.image_names == (name,)


def test_dataset_that_is_not_divided_is_divided_with_every_class_in_proportion(tmp_path):
    write_cvat(tmp_path, count=60)
    whole = load_detection_index(tmp_path, "default")
    parts = {name: load_detection_index(tmp_path, name) for name in ("train", "val", "test")}
    assert {name: len(part) for name, part in parts.items()} == {"train": 48, "val": 6, "test": 6}
    ids = np.concatenate([part.image_ids for part in parts.values()])
    assert sorted(ids.tolist()) == whole.image_ids.tolist()
    for part in parts.values():
        counts = np.bincount(part.labels, minlength=3)
        np.testing.assert_array_equal(counts * 60 // len(part), np.bincount(whole.labels))
    assert "val has 6 of its 60 images, every class in proportion" in parts["val"].remarks()[0]
    # Not the first or last ones.
    assert parts["train"].image_ids.tolist() != list(range(1, 49))


def test_parts_in_percent_are_shuffled_and_have_every_class_in_proportion(tmp_path):
    # In the order of the classes, as tools that export one after the other write it.
    write_cvat(tmp_path, "train", 60)
    path = tmp_path / "annotations" / "instances_train.json"
    content = json.loads(path.read_text())
    content["images"].sort(key=lambda image: (image["id"] - 1) % 3)
    path.write_text(json.dumps(content))
    first = load_detection_index(tmp_path, "train[:80%]")
    last = load_detection_index(tmp_path, "train[80%:]")
    assert (len(first), len(last)) == (48, 12)
    assert not {*first.image_ids.tolist()} & {*last.image_ids.tolist()}
    assert np.bincount(last.labels).tolist() == [4, 12, 8]
    again = load_detection_index(tmp_path, "train[80%:]")
    assert again.image_ids.tolist() == last.image_ids.tolist()
    in_order = load_detection_index(tmp_path, "train[:80%]", proportional=False)
    assert in_order.image_ids.tolist() == [image["id"] for image in content["images"][:48]]
    assert load_detection_index(tmp_path, "train[:2]").image_ids.tolist() == [1, 4]
    with pytest.raises(ValueError, match=r"'val'; expected .*: train\[:80%\] and train\[80%:\]"):
        load_detection_index(tmp_path, "val")


def test_classes_are_those_of_the_training_split(tmp_path):
    write_bccd(tmp_path)
    # An image of RBC alone is all that is left to score.
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("BloodImage_00007\n")
    index = load_detection_index(tmp_path, "val")
    assert index.class_names == CELLS and index.labels.tolist() == [1]
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text("BloodImage_00001\n")
    assert load_detection_index(tmp_path, "train").class_names == ("RBC",)
    with pytest.raises(AnnotationError, match="unknown category 'WBC'"):
        load_detection_index(tmp_path, "test")


@pytest.mark.parametrize("write", [write_bccd, write_roboflow])
def test_classes_may_be_given(tmp_path, write):
    write(tmp_path)
    names = ("WBC", "RBC", "Platelets", "Another")
    index = load_detection_index(tmp_path, "test", class_names=names)
    assert index.class_names == names and sorted({*index.labels.tolist()}) == [0, 1, 2]
    assert [names[label] for label in index.labels] == [
        CELLS[label] for label in load_detection_index(tmp_path, "test").labels
    ]
    assert len({*index.category_ids.tolist()}) == 4
    index = load_detection_index(tmp_path, "train", drop_invalid=True, class_names=["WBC"])
    assert len(index.boxes) == 4 and index.dropped_boxes == 8
    with pytest.raises(
        ValueError, match=r"boxes of test are of other classes \('Platelets', .*'dog'"
    ):
        load_detection_index(tmp_path, "test", class_names=["dog"])


@pytest.mark.parametrize(
    ("text", "names"),
    [("a,b", ("a", "b")), ("one", ("one",)), (" N.A. , b/c,", ("N.A.", "b/c")), ("a,a", None)],
)
def test_names_of_classes_are_a_list_or_a_file(tmp_path, text, names):
    if names is None:
        with pytest.raises(ValueError, match="'a,a' names 'a' twice"):
            read_class_names(text)
        return
    assert read_class_names(text) == names
    path = tmp_path / "names"
    path.write_text("\ufeffx y\r\n\r\nz\r\n")
    assert read_class_names(path) == ("x y", "z")
    with pytest.raises(FileNotFoundError):
        read_class_names(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        read_class_names("nothing.txt")
    with pytest.raises(ValueError, match="' , ' names no class"):
        read_class_names(" , ")


def test_real_vocs_classes_are_pascals(tmp_path):
    twenty = (
        *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
        *("train", "tvmonitor"),
    )
    write_voc(tmp_path, [(name, (1, 1, 9, 9), 0) for name in reversed(twenty)])
    assert read_voc(tmp_path, "train").class_names == twenty
