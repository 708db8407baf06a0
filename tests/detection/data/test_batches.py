"""Batches of images with boxes: what is in them, and that a resumed run sees the same."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.detection.data.coco_files import read_coco_directory
from nasnet_keras.detection.data.datasets import load_detection_index
from tests.detection.data.coco_directory import CATEGORIES, annotation, two_images, write_coco

pytestmark = pytest.mark.tensorflow


def batches(*args, **kwargs):
    from nasnet_keras.detection.data.batches import detection_batches

    return detection_batches(*args, **kwargs)


def wild(**changes):
    from nasnet_keras.detection.data.augmentation import DetectionAugmentation

    values = {"flip": 0.5, "scale_range": (0.7, 1.4), "crop": 0.5} | changes
    return DetectionAugmentation(**values)


@pytest.fixture
def index(tmp_path):
    """Nine images of 40x60 (height x width); image n has n mod 4 boxes."""
    images = [{"id": 100 + n, "file_name": f"{n}.png", "height": 40, "width": 60} for n in range(9)]
    boxes = [
        annotation(10 * n + k + 1, 100 + n, [4 * k + 2, n + 3, 20, 10 + k], 3 + 4 * (k % 2))
        for n in range(9)
        for k in range(n % 4)
    ]
    content = {"images": images, "annotations": boxes, "categories": CATEGORIES}
    return read_coco_directory(write_coco(tmp_path, content), "val")


def test_evaluation_gives_each_image_once_in_order(index):
    found = list(batches(index, (20, 20), 4, training=False, keep_aspect=True))
    assert [len(batch["image_ids"]) for batch in found] == [4, 4, 1]
    ids = np.concatenate([batch["image_ids"] for batch in found])
    assert ids.tolist() == list(range(100, 109))
    place = 0
    for batch in found:
        assert batch["images"].dtype == np.float32 and batch["boxes"].shape[1:] == (3, 4)
        assert batch["labels"].dtype == np.int32 and batch["crowd"].dtype == bool
        for row in range(len(batch["image_ids"])):
            rows = index.rows(place)
            count = place % 4
            labels = batch["labels"][row]
            assert (labels[:count] == index.labels[rows]).all() and (labels[count:] == -1).all()
            assert batch["image_sizes"][row].tolist() == [13, 20]
            assert batch["original_sizes"][row].tolist() == [40, 60]
            scale = np.tile(batch["scales"][row], 2)
            back = batch["boxes"][row, :count] / scale
            np.testing.assert_allclose(back, index.boxes[rows], rtol=1e-5)
            assert (batch["images"][row, 13:] == 0).all()
            place += 1


def test_pixels_are_those_of_the_file(index):
    (batch, *_) = batches(index, (40, 60), 2, training=False)
    for row in range(2):
        pixels = np.asarray(Image.open(index.paths[row]), np.float32)
        np.testing.assert_allclose(batch["images"][row], pixels, atol=1e-4)


def test_resumed_training_sees_the_same_batches(index):
    def run(first_step, seed=3):
        stream = batches(index, (24, 32), 4, True, True, wild(), seed=seed, first_step=first_step)
        assert stream.steps_per_epoch == 2
        return list(islice(stream, 7 - first_step))

    whole = run(0)
    for first_step in (1, 2, 5):
        for expected, batch in zip(whole[first_step:], run(first_step), strict=True):
            assert expected.keys() == batch.keys()
            for name in expected:
                np.testing.assert_array_equal(expected[name], batch[name])
    for epoch in (0, 2, 4):
        ids = np.concatenate([batch["image_ids"] for batch in whole[epoch : epoch + 2]])
        assert len(set(ids.tolist())) == 8
    orders = [batch["image_ids"].tolist() for batch in whole]
    assert orders[0] != orders[2] and orders != [b["image_ids"].tolist() for b in run(0, 4)]


def test_hosts_read_different_images(index):
    def ids(host):
        stream = batches(index, (24, 32), 2, True, augmentation=wild(), shard=(host, 2))
        assert stream.steps_per_epoch == 2
        return set(np.concatenate([batch["image_ids"] for batch in islice(stream, 8)]).tolist())

    assert ids(0) == {100, 101, 102, 103} and ids(1) <= {104, 105, 106, 107, 108}


def test_training_boxes_are_inside_the_image_and_padding_is_labelled(index):
    stream = batches(index, (24, 32), 8, True, True, wild(crop_area=(0.1, 0.5), crop=0.9))
    ignored = 0
    for batch in islice(stream, 12):
        sizes = np.tile(batch["image_sizes"], 2)[:, np.newaxis]
        real = batch["labels"] >= 0
        assert (batch["boxes"] >= 0).all() and (batch["boxes"] <= sizes + 1e-4).all()
        assert ((batch["boxes"][..., 2:] - batch["boxes"][..., :2]).min(-1)[real] > 0).all()
        assert (batch["boxes"][~real] == 0).all() and not batch["crowd"][~real].any()
        # Boxes come before padding.
        assert (np.diff(real.astype(int), axis=1) <= 0).all()
        ignored += batch["crowd"].sum()
        # An image that had boxes keeps one in sight.
        had = (batch["image_ids"] - 100) % 4 > 0
        assert (real.any(1) == had).all()
    assert ignored > 0


def test_crowds_are_kept_and_flagged(tmp_path):
    index = read_coco_directory(write_coco(tmp_path, two_images()), "val")
    (batch,) = batches(index, (30, 40), 2, training=False)
    assert batch["crowd"].tolist() == [[False, True], [False, False]]
    assert batch["labels"].tolist() == [[1, 0], [-1, -1]]
    assert batch["boxes"][0, 0].tolist() == [10, 5.25, 17.625, 20.25]


def test_image_that_cannot_be_decoded_is_named(index):
    path = Path(index.paths[4])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"4.png \(image 104\) is damaged"):
        list(batches(index, (24, 32), 4, training=False))
    # One in nine is more than training skips.
    with pytest.raises(ValueError, match=r"4.png \(image 104\) is damaged"):
        list(islice(batches(index, (24, 32), 9, training=True), 3))


def test_impossible_numbers_are_refused(index):
    for change, message in (
        ({"batch_size": 0}, "batch_size is a whole number of at least 1"),
        ({"image_size": (0, 5)}, "image_size is 2 whole numbers of at least 1"),
        ({"batch_size": 10}, "batch_size is 10, but there are 9 images"),
        ({"shard": (2, 2)}, "shard is"),
    ):
        values = {"image_size": (24, 32), "batch_size": 2, "training": True} | change
        with pytest.raises(ValueError, match=message):
            batches(index, **values)


def test_an_epoch_of_real_coco_has_finite_boxes(real_data):
    index = load_detection_index(real_data / "coco", "train[:64]")
    stream = batches(index, (96, 128), 8, True, True, wild())
    for batch in islice(stream, stream.steps_per_epoch):
        assert np.isfinite(batch["images"]).all() and np.isfinite(batch["boxes"]).all()
        assert batch["images"].min() >= 0 and batch["images"].max() <= 255 + 1e-3


def test_images_inside_record_files_are_read_alike(index, tmp_path):
    contents = [index.encoded(place) for place in range(len(index))]
    starts = np.cumsum([3, *map(len, contents)])
    (tmp_path / "records").write_bytes(b"abc" + b"".join(contents))
    spans = np.stack([starts[:-1], list(map(len, contents))], 1)
    inside = replace(index, spans=spans, paths=(str(tmp_path / "records"),) * len(index))
    assert inside.encoded(4) == contents[4]
    streams = [batches(one, (24, 32), 3, True, True, wild()) for one in (index, inside)]
    for expected, batch in islice(zip(*streams, strict=True), 4):
        np.testing.assert_array_equal(expected["images"], batch["images"])
        np.testing.assert_array_equal(expected["image_ids"], batch["image_ids"])


def test_training_batches_have_one_static_shape(index):
    spec = batches(index, (24, 32), 3, True, augmentation=wild()).batches.element_spec
    assert {name: tuple(part.shape) for name, part in spec.items()} == {
        "images": (3, 24, 32, 3),
        "image_sizes": (3, 2),
        "boxes": (3, 3, 4),
        "labels": (3, 3),
        "crowd": (3, 3),
        "image_ids": (3,),
    }


@pytest.mark.parametrize(
    ("name", "mode"), [("a.bmp", "P"), ("a.webp", "RGBA"), ("a.tif", "RGB"), ("a.gif", "P")]
)
def test_images_of_every_format_have_their_own_colours(tmp_path, name, mode):
    content = two_images()
    content["images"] = [content["images"][0] | {"file_name": name}]
    content["annotations"] = content["annotations"][:1]
    write_coco(tmp_path, content)
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8))
    picture = picture.quantize(16) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "val2017" / name, **({"lossless": True} if mode == "RGBA" else {}))
    index = read_coco_directory(tmp_path, "val")
    (batch,) = batches(index, (60, 80), 1, training=False)
    expected = np.asarray(picture.convert("RGB"), np.float32)
    np.testing.assert_allclose(batch["images"][0], expected, atol=1e-4)
