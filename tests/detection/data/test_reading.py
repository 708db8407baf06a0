"""COCO, Pascal VOC and TFDS say the same about the same images; what is wrong is listed."""

import json

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.coco_files import read_coco, read_coco_directory
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.detection_index import COCO_CATEGORY_IDS
from nasnet_keras.detection.data.voc_files import parse_xml, read_voc
from tests.detection.data.coco_directory import annotation, two_images, write_coco
from tests.detection.data.voc_directory import write_voc


def test_coco_directory_is_read(tmp_path):
    index = load_detection_index(write_coco(tmp_path, two_images()), "val")
    assert index.class_names == ("cat", "dog")  # In the order of the ids.
    assert index.category_ids.tolist() == [3, 7]
    assert index.image_ids.tolist() == [11, 5] and index.sizes.tolist() == [[60, 80], [50, 40]]
    assert index.first_box.tolist() == [0, 2, 2]  # The image without boxes is kept.
    assert index.boxes.tolist() == [[20, 10.5, 35.25, 40.5], [0, 0, 60, 80]]
    assert index.boxes.dtype == np.float32
    assert index.labels.tolist() == [1, 0] and index.crowd.tolist() == [False, True]
    assert index.areas.tolist() == [100.5, 4800]
    assert index.source_boxes[0].tolist() == [10.5, 20, 30, 15.25]
    assert index.encoded(1) == (tmp_path / "val2017" / "b.png").read_bytes()
    assert index.select([5]).image_names == ("b.png",)
    with pytest.raises(ValueError, match="val has no image with id 6"):
        index.select([5, 6])


def test_parts_keep_images_and_boxes_together(tmp_path):
    content = two_images()
    content["images"] += [{"id": 12, "file_name": "c.png", "height": 9, "width": 9}]
    content["annotations"] += [annotation(3, 12, [1, 1, 2, 2]), annotation(4, 5, [3, 3, 2, 2])]
    whole = read_coco_directory(write_coco(tmp_path, content), "val")
    part = whole.take([2, 0])
    assert part.image_ids.tolist() == [12, 11] and part.annotation_ids.tolist() == [3, 1, 2]
    assert part.boxes[part.rows(0)].tolist() == [[1, 1, 3, 3]]
    shards = [whole.shard(host, 2).image_ids.tolist() for host in range(2)]
    assert [*shards[0], *shards[1]] == [11, 5, 12]
    assert load_detection_index(tmp_path, "val[1:]").image_ids.tolist() == [5, 12]


def wrong_dataset(root):
    """Writes a dataset with one problem of each kind and one image that is fine."""
    content = two_images()
    content["categories"] = [*content["categories"], {"id": 1, "name": "one"}]
    sizes = {"height": 20, "width": 20}
    content["images"] += [
        {"id": 21, "file_name": "missing.png"} | sizes,
        {"id": 22, "file_name": "turned.png", "height": 20, "width": 30},
        {"id": 5, "file_name": "again.png"} | sizes,
        {"id": 24, "file_name": "text.png"} | sizes,
    ]
    boxes = {
        31: [70, 0, 20, 20],  # Leaves the image by ten pixels.
        32: [10, 10, 0, 20],
        33: [30, 30, -10, 20],
        34: [10, float("nan"), 5, 5],
        35: [1, 2, 3],
        36: [1, 2, 3, "four"],
    }
    content["annotations"] += [annotation(number, 11, box) for number, box in boxes.items()]
    content["annotations"] += [
        annotation(37, 11, [1, 1, 5, 5], category=4),
        annotation(41, 11, [1, 1, 5, 5], category=True),
        annotation(2, 5, [1, 1, 5, 5]),  # The number of another.
        annotation(38, 99, [1, 1, 5, 5]),
        annotation(39, 21, [1, 1, 5, 5]),  # Fine, but its image is missing.
        annotation(40, 11, [79.5, 0, 1.2, 4]),  # Rounded: fine.
    ]
    write_coco(root, content)
    folder = root / "val2017"
    (folder / "missing.png").unlink()
    Image.new("RGB", (20, 30)).save(folder / "turned.png")
    (folder / "text.png").write_text("no image")
    return root


def test_everything_wrong_is_listed_with_file_and_id(tmp_path):
    with pytest.raises(AnnotationError) as caught:
        read_coco_directory(wrong_dataset(tmp_path), "val")
    expected = {
        "annotation 38": "there is no image with id 99",
        "annotation 31": "leaves the image, which is 60x80",
        "annotation 32": "has zero size",
        "annotation 33": "has negative size",
        "annotation 34": "is not finite",
        "annotation 35": "is [1, 2, 3], not four numbers",
        "annotation 36": "not four numbers",
        "annotation 37": "unknown category 4",
        "annotation 41": "unknown category True",
        "annotation 2": "another annotation has this id",
        "image 21": "missing.png is missing",
        "image 22": "is 20x30 (height x width) here, but",
        "image 5": "another image has this id",
        "image 24": "is not an image",
    }
    problems = caught.value.problems
    assert len(problems) == len(expected)
    for where, what in expected.items():
        (line,) = [
            x
            for x in problems
            if x.startswith(f"instances_val2017.json: {where} ")
            or x.startswith(f"instances_val2017.json: {where}:")
        ]
        assert what in line, line
    message = str(caught.value)
    assert "14 problems in val" in message and "and 4 more" in message
    assert message.count("\n- instances_val2017.json: ") == 10


def test_true_is_not_the_number_of_an_image(tmp_path):
    content = two_images()
    content["images"] += [
        {"id": number, "file_name": f"{number}.png", "height": 9, "width": 9}
        for number in (True, 1)
    ]
    content["annotations"] += [annotation(3, 1, [1, 1, 5, 5]), annotation(4, True, [1, 1, 5, 5])]
    write_coco(tmp_path, content)
    with pytest.raises(AnnotationError) as caught:
        read_coco_directory(tmp_path, "val")
    lost, image = caught.value.problems
    assert "annotation 4: there is no image with id True" in lost
    assert "image True (True.png): the id is True, not an integer" in image
    index = read_coco_directory(tmp_path, "val", drop_invalid=True)
    assert index.boxes[index.rows(index.place(1))].tolist() == [[1, 1, 6, 6]]


def test_drop_invalid_goes_on_and_counts(tmp_path):
    index = read_coco_directory(wrong_dataset(tmp_path), "val", drop_invalid=True)
    assert index.image_ids.tolist() == [11, 5]
    assert index.annotation_ids.tolist() == [1, 2, 40]
    assert (index.dropped_images, index.dropped_boxes) == (4, 11)
    assert index.boxes[2].tolist() == [0, 79.5, 4, 80]  # Clipped.


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", ""])
def test_file_names_cannot_lead_out_of_the_folder(tmp_path, name):
    content = two_images()
    write_coco(tmp_path, content)
    content["images"][0]["file_name"] = name
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match="leads out of the folder"):
        read_coco_directory(tmp_path, "val")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no list 'images'"),
        ('{"images": [], "annotations": [], "categories": []}', "no category"),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, '
            '{"id": 1, "name": "b"}]}',
            "two categories have the id 1",
        ),
    ],
)
def test_files_that_are_not_cocos_are_refused(tmp_path, text, message):
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_coco(path, tmp_path)


def test_wrong_directories_and_splits_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_detection_index(tmp_path / "nowhere", "train")
    write_coco(tmp_path, two_images())
    with pytest.raises(ValueError, match="expected one of: val"):
        load_detection_index(tmp_path, "train")


def test_splits_are_read_with_the_classes_of_training(tmp_path):
    content = two_images()
    first = read_coco_directory(write_coco(tmp_path, content), "val")
    # The same classes with other ids, and one of which there is no object.
    content["categories"] = [
        *({"id": 3, "name": "dog"}, {"id": 7, "name": "cat"}, {"id": 9, "name": "cow"})
    ]
    write_coco(tmp_path, content, "test")
    second = load_detection_index(tmp_path, "test", class_names=first.class_names)
    assert second.class_names == ("cat", "dog") and second.category_ids.tolist() == [7, 3]
    assert second.labels.tolist() == [0, 1] and first.labels.tolist() == [1, 0]
    content["categories"] = [{"id": 3, "name": "cat"}, {"id": 7, "name": "cow"}]
    write_coco(tmp_path, content, "test")
    with pytest.raises(AnnotationError, match="annotation 1 .*: unknown category 'cow'"):
        load_detection_index(tmp_path, "test", class_names=first.class_names)


def test_pascal_voc_is_read(tmp_path):
    root = write_voc(tmp_path, [("dog", (1, 1, 80, 60), 0), ("person", (11, 21, 20, 40), 1)])
    write_voc(tmp_path, [], "000002")
    (tmp_path / "ImageSets" / "Main" / "dog_train.txt").write_text("000001  1\n")
    index = load_detection_index(root, "train")
    assert index.class_names == ("dog", "person")
    assert index.boxes.tolist() == [[0, 0, 60, 80], [20, 10, 40, 20]]
    assert index.labels.tolist() == [0, 1]
    assert index.crowd.tolist() == [False, True]
    assert index.first_box.tolist() == [0, 2, 2] and index.image_ids.tolist() == [1, 2]
    with pytest.raises(ValueError, match="unknown split of .* did you mean 'train'"):
        read_voc(root, "dog_train")


def test_voc_files_of_other_classes_are_read(tmp_path):
    root = write_voc(tmp_path, [("zebra", (1, 1, 9, 9), 0), ("ant", (1, 1, 9, 9), 0)])
    assert read_voc(root, "train").class_names == ("ant", "zebra")
    assert read_voc(root, "train", ["zebra", "ant"]).labels.tolist() == [0, 1]
    with pytest.raises(AnnotationError, match=r"000001.xml: object 2 \(ant\): unknown category"):
        read_voc(root, "train", ["zebra"])


def test_voc_problems_are_listed(tmp_path):
    write_voc(tmp_path, [("dog", (20, 1, 10, 9), 0), ("dog", ("x", 1, 10, 9), 0)])
    (tmp_path / "ImageSets" / "Main" / "train.txt").open("a").write("000009\n000001\n")
    with pytest.raises(AnnotationError) as caught:
        read_voc(tmp_path, "train")
    expected = (
        "000009.xml is missing",
        "train.txt: 000001 is there twice",
        "negative size",
        "not four numbers",
    )
    for problem, text in zip(caught.value.problems, expected, strict=True):
        assert text in problem


def test_images_without_voc_annotations_are_counted_as_left_out(tmp_path):
    for name in ("000001", "000002", "000003"):
        write_voc(tmp_path, [("dog", (1, 1, 10, 9), 0)], name)
    (tmp_path / "Annotations" / "000002.xml").write_text("<annotation>")
    (tmp_path / "JPEGImages" / "000003.jpg").unlink()
    with (tmp_path / "ImageSets" / "Main" / "train.txt").open("a") as file:
        file.write("000009\n000001\n../000001\n")
    index = read_voc(tmp_path, "train", drop_invalid=True)
    assert index.image_names == ("000001.jpg",)
    # Broken, without its picture, missing, there twice, outside; only one of them had a known box.
    assert (index.dropped_images, index.dropped_boxes) == (5, 1)


def test_xml_that_declares_entities_is_refused(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]>'
    write_voc(tmp_path, [], doctype=bomb)
    with pytest.raises(AnnotationError, match="declares a document type"):
        read_voc(tmp_path, "train")
    with pytest.raises(ValueError, match="not XML"):
        parse_xml(b"<a>")
    for encoding in (b"klingon", b"utf-7", b"\xff"):
        with pytest.raises(ValueError):
            parse_xml(b'<?xml version="1.0" encoding="' + encoding + b'"?><a/>')


@pytest.mark.tensorflow
def test_what_tfds_prepares_is_read_alike(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    content = two_images()
    coco = read_coco_directory(write_coco(tmp_path / "coco_files", content), "val")

    class Coco(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Two pictures."""

        VERSION = tfds.core.Version("1.1.0")
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="2017", version="1.1.0", description="x")]

        def _info(self):
            box = {
                "area": np.int64,
                "bbox": tfds.features.BBoxFeature(),
                "id": np.int64,
                "is_crowd": np.bool_,
                "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            }
            features = {
                "image": tfds.features.Image(encoding_format="png"),
                "image/filename": tfds.features.Text(),
                "image/id": np.int64,
                "objects": tfds.features.Sequence(box),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            return {"validation": self._generate_examples()}

        def _generate_examples(self):
            for place in range(len(coco)):
                height, width = coco.sizes[place].tolist()
                yield (
                    place,
                    {
                        "image": coco.paths[place],
                        "image/filename": coco.image_names[place],
                        "image/id": coco.image_ids[place],
                        "objects": [
                            {
                                "area": int(coco.areas[row]),
                                "bbox": tfds.features.BBox(
                                    *(coco.boxes[row] / [height, width, height, width])
                                ),
                                "id": coco.annotation_ids[row],
                                "is_crowd": coco.crowd[row],
                                "label": coco.labels[row],
                            }
                            for row in range(*coco.first_box[place : place + 2])
                        ],
                    },
                )

    Coco(data_dir=tmp_path, config="2017").download_and_prepare()
    index = load_detection_index(tmp_path, "val")
    assert index.class_names == ("cat", "dog") and index.category_ids.tolist() == [1, 2]
    # TFDS stores examples in an order of its own.
    for place, image in enumerate(index.image_ids):
        other = coco.place(int(image))
        mine, theirs = index.rows(place), coco.rows(other)
        assert index.sizes[place].tolist() == coco.sizes[other].tolist()
        assert index.encoded(place) == coco.encoded(other)
        np.testing.assert_allclose(index.boxes[mine], coco.boxes[theirs], atol=1e-5)
        np.testing.assert_array_equal(index.labels[mine], coco.labels[theirs])
        np.testing.assert_array_equal(index.crowd[mine], coco.crowd[theirs])
        np.testing.assert_array_equal(index.annotation_ids[mine], coco.annotation_ids[theirs])
    assert len(load_detection_index(tmp_path, "validation[:50%]")) == 1


def test_real_coco_is_read_whole(real_data):
    for split, images, boxes, crowds in (("train", 440, 3884, 43), ("val", 109, 876, 7)):
        index = load_detection_index(real_data / "coco", split)
        assert (len(index), len(index.boxes), index.crowd.sum()) == (images, boxes, crowds)
        assert (index.dropped_images, index.dropped_boxes) == (0, 0)
        assert tuple(index.category_ids) == COCO_CATEGORY_IDS
