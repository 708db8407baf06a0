"""Lists of images: names, ids, and neither."""

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.image_lists import read_image_ids


def named_images(names):
    """Returns an index of images without boxes, of which only ids and names matter."""
    count, empty = len(names), np.zeros(0)
    return DetectionIndex(
        name="some",
        split="val",
        class_names=("cat",),
        category_ids=np.array([1]),
        image_ids=np.array(list(names)),
        image_names=tuple(names.values()),
        sizes=np.ones((count, 2), np.int32),
        paths=("",) * count,
        spans=np.zeros((count, 2), np.int64),
        first_box=np.zeros(count + 1, np.int64),
        boxes=empty.reshape(0, 4),
        labels=empty,
        crowd=empty,
        areas=empty,
        source_boxes=empty.reshape(0, 4),
        annotation_ids=empty,
        orientations=np.ones(count, np.int32),
    )


def test_image_lists_are_read(tmp_path):
    ids = {139: "000000000139.jpg", 285: "000000000285.jpg", 632: "000000000632.jpg"}
    ids |= {7: "a/b.jpg", 8: "c/b.jpg", 9: "9.jpg", 5: "12.jpg", 12: "5.jpg", 724: "x.v2.png"}
    ids |= {1000: "COCO_000000001000.jpg"}
    index = named_images(ids)
    path = tmp_path / "minival.txt"
    path.write_text(
        "# a mini-val\n139\n\n000000000285.jpg\nval2017/000000000632.jpg\n  a/b.jpg \n"
        "val2017/c/b\n9\n12.jpg\n5.jpg\nx.v2\n000000001000\n"
    )
    assert read_image_ids(path, index) == [139, 285, 632, 7, 8, 9, 5, 12, 724, 1000]
    # As an editor on Windows writes it.
    path.write_bytes("\ufeff139\r\n\r\n 9 \r\n".encode())
    assert read_image_ids(path, index) == [139, 9]
    for text, message in (
        ("139\nabc\n", "line 2: 'abc' is neither name nor id of an image of val of some"),
        ("139.jpg\n", "line 1: '139.jpg' is neither name nor id"),
        ("d/b.jpg\n", "line 1: 'd/b.jpg' is neither name nor id"),
        (f"{'9' * 5000}\n", "line 1: '9+' is neither name nor id"),
        ("139\n#\n000000000139\n", "line 3: '000000000139' is the image of line 1 again"),
        ("b.jpg\n", "line 1: 'b.jpg' may be a/b.jpg or c/b.jpg of val of some"),
        ("5\n", "line 1: '5' may be 5.jpg or 12.jpg of val of some: write its full name"),
        ("# none\n", "lists no image"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_image_ids(path, index)


def test_names_in_lists_are_not_places_in_pascal_voc(tmp_path):
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    names = ("000012", "000005", "000001", "extra", "000007")
    for name in names:
        Image.new("RGB", (8, 6)).save(tmp_path / "JPEGImages" / f"{name}.jpg")
        (tmp_path / "Annotations" / f"{name}.xml").write_text("<annotation/>")
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("\n".join(names))
    index = load_detection_index(tmp_path, "val")
    path = tmp_path / "list.txt"
    path.write_text("000005.jpg\n000001\nJPEGImages/extra.jpg\n5\n")
    chosen = index.select(read_image_ids(path, index))
    assert chosen.image_names == ("000005.jpg", "000001.jpg", "extra.jpg", "000007.jpg")
    # Not the second image of the list.
    path.write_text("000002\n")
    with pytest.raises(ValueError, match="line 1: '000002' is neither name nor id"):
        read_image_ids(path, index)
