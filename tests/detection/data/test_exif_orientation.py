"""Images with an EXIF orientation are turned as their annotations are."""

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from nasnet_keras.data.exif import turned_back
from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.datasets import load_detection_index

HEIGHT, WIDTH = 40, 64
BOX = (6, 4, 20, 12)  # Left, top, width, height in the upright image.
INSIDE = np.s_[4:16, 6:26]


def upright(height=HEIGHT, width=WIDTH):
    """Returns a dark image with a bright object in its box."""
    pixels = np.full((height, width, 3), 20, np.uint8)
    pixels[INSIDE] = 220
    return pixels


def write(root, pixels, orientation, size, name="a.png", layout="coco"):
    """Writes a dataset of one image that a viewer shows as `pixels`, annotated with a size."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    folder = root / ("train" if layout == "coco" else "JPEGImages")
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(turned_back(pixels, orientation)).save(folder / name, exif=exif)
    with Image.open(folder / name) as image:
        shown = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_allclose(shown.astype(int), pixels, atol=30)
    sides = dict(zip(("height", "width"), size, strict=True)) if size else {}
    left, top, width, height = BOX
    if layout == "coco":
        annotations = {
            "images": [{"id": 1, "file_name": name, **sides}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX}],
            "categories": [{"id": 1, "name": "thing"}],
        }
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / "instances_train.json").write_text(json.dumps(annotations))
        return root
    sides = "".join(f"<{side}>{value}</{side}>" for side, value in sides.items())
    corners = (left + 1, top + 1, left + width, top + height)
    edges = "".join(
        f"<{edge}>{value}</{edge}>"
        for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    )
    for folder in ("Annotations", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    (root / "Annotations" / "a.xml").write_text(
        f"<annotation><size>{sides}</size><object><name>thing</name><bndbox>{edges}</bndbox>"
        "</object></annotation>"
    )
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\n")
    return root


@pytest.mark.parametrize("layout", ["coco", "voc"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_to_upright_annotations(tmp_path, orientation, layout):
    root = write(tmp_path, upright(), orientation, (HEIGHT, WIDTH), layout=layout)
    index = load_detection_index(root, "train")
    assert index.orientations.tolist() == [orientation] and not index.remarks()
    assert index.sizes.tolist() == [[HEIGHT, WIDTH]]
    np.testing.assert_array_equal(index.pixels(0), upright())


@pytest.mark.parametrize("orientation", [3, 6])
def test_images_whose_size_is_not_annotated_are_turned(tmp_path, orientation):
    index = load_detection_index(write(tmp_path, upright(), orientation, None), "train")
    assert index.sizes.tolist() == [[HEIGHT, WIDTH]]
    np.testing.assert_array_equal(index.pixels(0), upright())


def test_images_annotated_as_stored_stay_so_and_are_counted(tmp_path):
    root = write(tmp_path, upright(HEIGHT, WIDTH), 6, (WIDTH, HEIGHT))
    index = load_detection_index(root, "train")
    assert index.orientations.tolist() == [1] and index.sizes.tolist() == [[WIDTH, HEIGHT]]
    np.testing.assert_array_equal(index.pixels(0), turned_back(upright(), 6))
    (remark,) = index.remarks()
    assert remark.startswith("train: 1 images are annotated as stored, not as their EXIF")


@pytest.mark.parametrize(("orientation", "size"), [(3, (HEIGHT, WIDTH)), (6, (48, 48))])
def test_where_the_size_does_not_tell_the_flag_decides(tmp_path, orientation, size):
    root = write(tmp_path, upright(*size), orientation, size)
    for turns, expected in ((True, upright(*size)), (False, turned_back(upright(*size), 6))):
        index = load_detection_index(root, "train", exif_orientation=turns)
        if orientation == 3 and not turns:
            expected = turned_back(upright(*size), 3)
        assert not index.remarks()
        np.testing.assert_array_equal(index.pixels(0), expected)


@pytest.mark.parametrize(
    ("size", "turns", "message"),
    [
        ((30, 30), True, "is 64x40 as stored and 40x64 as its EXIF orientation turns it$"),
        ((HEIGHT, WIDTH), False, "as its EXIF orientation turns it, which is not followed here$"),
    ],
)
def test_sizes_that_fit_neither_way_are_told(tmp_path, size, turns, message):
    root = write(tmp_path, upright(), 6, size)
    with pytest.raises(AnnotationError, match=message):
        load_detection_index(root, "train", exif_orientation=turns)


@pytest.mark.tensorflow
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_training_sees_the_objects_in_their_boxes(tmp_path, suffix):
    from nasnet_keras.detection.data.augmentation import DetectionAugmentation
    from nasnet_keras.detection.data.batches import detection_batches

    content: dict = {"images": [], "annotations": [], "categories": []}
    for orientation in range(1, 9):
        name = f"{orientation}.{suffix}"
        root = write(tmp_path, upright(), orientation, (HEIGHT, WIDTH), name)
        one = json.loads((root / "annotations" / "instances_train.json").read_text())
        content["images"].append(one["images"][0] | {"id": orientation})
        box = {"id": orientation, "image_id": orientation}
        content["annotations"].append(one["annotations"][0] | box)
        content["categories"] = one["categories"]
    (tmp_path / "annotations" / "instances_train.json").write_text(json.dumps(content))
    index = load_detection_index(tmp_path, "train")
    (whole,) = detection_batches(index, (HEIGHT, WIDTH), 8, training=False)
    np.testing.assert_allclose(whole["images"], np.stack([upright()] * 8), atol=30)
    wild = DetectionAugmentation(flip=0.5, scale_range=(0.7, 1.4), crop=0.5)
    stream = detection_batches(index, (48, 48), 1, training=True, augmentation=wild)
    seen = 0
    for batch, _ in zip(stream, range(24), strict=False):
        # Away from the edges of the object.
        top, left, bottom, right = batch["boxes"][0, 0] + [4, 4, -4, -4]
        if batch["labels"][0, 0] >= 0 and bottom - top >= 1 and right - left >= 1:
            seen += 1
            inside = batch["images"][0, int(top) : int(bottom) + 1, int(left) : int(right) + 1]
            assert inside.min() > 150
    assert seen > 8
