"""Ids as text, sizes with a decimal point, boxes a little outside: what other tools write."""

import json

import pytest
from PIL import Image

from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.coco_files import read_coco
from nasnet_keras.detection.data.source_values import image_sides, number, whole_number
from nasnet_keras.detection.data.voc_files import read_voc
from tests.detection.data.coco_directory import annotation
from tests.detection.data.voc_directory import write_voc


def read(
    tmp_path, image=None, categories=({"id": 3, "name": "cat"},), drop_invalid=False, boxes=()
):
    """Reads one image of 64x64 with these boxes and what is said about it."""
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    content = {
        "images": [{"id": 11, "file_name": "a.png", "height": 64, "width": 64} | (image or {})],
        "annotations": list(boxes),
        "categories": list(categories),
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    return read_coco(tmp_path / "a.json", tmp_path, drop_invalid=drop_invalid)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("7", 7),
        (" 007 ", 7),
        (7.0, 7),
        ("7.0", 7),
        ("-7.", -7),
        (7.5, 7.5),
        ("7.5", "7.5"),
        ("1e2", "1e2"),
        ("x7", "x7"),
        (True, True),
        (None, None),
        (float("inf"), float("inf")),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_whole_numbers_are_read_however_they_are_written(value, number):
    found = whole_number(value)
    assert found == number and type(found) is type(number)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30.5", 30.5),
        (" -2 ", -2.0),
        (7, 7),
        ("1e400", "1e400"),
        ("nan", "nan"),
        ("", ""),
        ("9" * 5000, "9" * 5000),
        (None, None),
    ],
)
def test_numbers_are_read_as_text_too(value, expected):
    found = number(value)
    assert found == expected and type(found) is type(expected)


def test_boxes_areas_and_crowds_are_read_as_text_too(tmp_path):
    box = annotation("1", "11", ["1", "2.5", "30", " 20.0 "], "3") | {
        "iscrowd": "1",
        "area": "77.5",
    }
    index = read(tmp_path, boxes=[box])
    assert index.source_boxes.tolist() == [[1, 2.5, 30, 20]] and index.areas.tolist() == [77.5]
    assert index.crowd.tolist() == [True]
    for wrong in ({"bbox": ["1", "2", "x", "4"]}, {"iscrowd": "2"}, {"area": "much"}):
        with pytest.raises(AnnotationError, match="the box is|iscrowd is 2|the area is 'much'"):
            read(tmp_path, boxes=[box | wrong])


def test_unknown_sides_are_left_to_the_header():
    assert image_sides("64.0", 48) == (64, 48)
    for unknown in (None, "", 0, "0", 0.0):
        assert image_sides(unknown, 48) is None and image_sides(64, unknown) is None
    assert image_sides(False, -1) == (False, -1)  # Wrong, not unknown.


def test_ids_are_numbers_also_as_text_and_decimals(tmp_path):
    boxes = [
        annotation("1", "11", [1, 1, 5, 5], "3"),
        annotation(2.0, 11.0, [2, 2, 5, 5], 3.0),
    ]
    for image_id in ("11", 11.0):
        index = read(tmp_path, {"id": image_id}, [{"id": "3", "name": "cat"}], boxes=boxes)
        assert index.image_ids.tolist() == [11] and index.annotation_ids.tolist() == [1, 2]
        assert index.category_ids.tolist() == [3] and len(index.boxes) == 2


def test_id_that_is_no_number_is_told_of_the_image_and_not_denied(tmp_path):
    boxes = [annotation(1, "a", [1, 1, 5, 5]), annotation(2, "b", [1, 1, 5, 5])]
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path, {"id": "a"}, boxes=boxes)
    denied, image = caught.value.problems
    assert denied == "a.json: annotation 2: there is no image with id 'b'"
    assert image == "a.json: image 'a' (a.png): the id is 'a', not an integer"


def test_boxes_without_ids_are_numbered(tmp_path):
    boxes = [annotation(0, 11, [n, n, 5, 5]) for n in (1, 2)]
    for box in boxes:
        del box["id"]
    assert read(tmp_path, boxes=boxes).annotation_ids.tolist() == [1, 2]
    with pytest.raises(AnnotationError, match="the id is None"):
        read(tmp_path, boxes=[*boxes, annotation(3, 11, [1, 1, 5, 5])])


@pytest.mark.parametrize("sides", [{"height": 64.0, "width": "64"}, {"height": 0, "width": 0}, {}])
def test_sizes_are_read_from_the_header_where_they_are_absent(tmp_path, sides):
    assert read(tmp_path, {"height": None, "width": None} | sides).sizes.tolist() == [[64, 64]]


@pytest.mark.parametrize("sides", [{"height": 64.5}, {"width": -64}, {"width": 63.0}])
def test_wrong_sizes_are_listed(tmp_path, sides):
    with pytest.raises(AnnotationError, match="size is|is 64x63"):
        read(tmp_path, sides)


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ([20, 20, 47, 30], [20, 20, 44, 30]),
        ([-3, -4, 20, 20], [0, 0, 17, 16]),
        ([33, 0, 60, 10], [33, 0, 31, 10]),  # 31 of 60 columns are inside.
        ([-10, -10, 90, 90], [0, 0, 64, 64]),
    ],
)
def test_box_mostly_inside_is_cut_at_the_edge_and_counted(tmp_path, box, cut):
    index = read(tmp_path, boxes=[annotation(1, 11, box)])
    assert index.source_boxes.tolist() == [cut] and index.areas.tolist() == [cut[2] * cut[3]]
    left, top, width, height = cut
    assert index.boxes.tolist() == [[top, left, top + height, left + width]]
    assert (index.cut_boxes, index.dropped_boxes) == (1, 0)


@pytest.mark.parametrize("box", [[34, 0, 60, 10], [-10, 5, 20, 5], [70, 70, 5, 5], [64, 0, 0.5, 5]])
def test_box_of_which_half_is_outside_is_listed(tmp_path, box):
    boxes = [annotation(1, 11, box), annotation(2, 11, [1, 1, 5, 5])]
    with pytest.raises(AnnotationError, match="annotation 1 .* leaves the image, which is 64x64"):
        read(tmp_path, boxes=boxes)
    index = read(tmp_path, boxes=boxes, drop_invalid=True)
    assert index.annotation_ids.tolist() == [2] and index.dropped_boxes == 1


def test_box_of_rounded_corners_stays_as_in_the_file(tmp_path):
    index = read(tmp_path, boxes=[annotation(1, 11, [-0.5, 0, 65.2, 64])])
    assert index.source_boxes.tolist() == [[-0.5, 0, 65.2, 64]] and index.cut_boxes == 0
    assert index.boxes.tolist() == [[0, 0, 64, 64]]


@pytest.mark.parametrize("sides", ["", "<size><width>0</width><height>0</height></size>"])
def test_voc_sizes_that_are_unknown_are_read_from_the_header(tmp_path, sides):
    write_voc(tmp_path, [("dog", (1, 1, 80, 60), "Unspecified")])
    path = tmp_path / "Annotations" / "000001.xml"
    start, end = path.read_text().split("<size>")[0], path.read_text().split("</size>")[1]
    path.write_text(start + sides + end)
    index = read_voc(tmp_path, "train", ["dog"])
    assert index.sizes.tolist() == [[60, 80]] and index.crowd.tolist() == [False]
