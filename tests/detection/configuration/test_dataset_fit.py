"""What of a configuration will hurt on a dataset is said, a line each, with the flag."""

import numpy as np
import pytest

from nasnet_keras.detection.configuration.configs import get_config
from nasnet_keras.detection.configuration.dataset_fit import misfits
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.detection_index import DetectionIndex
from tests.detection_network import tiny_config

CONFIG = TrainingConfig("tiny", tiny_config(), steps=10)


def index_of(images, side=64, split="train", crowd=False):
    """Returns images of side x side with boxes of these classes and sides: `(class, h, w)`."""
    rows = [row for image in images for row in image]
    boxes = np.array([(0, 0, height, width) for _, height, width in rows], np.float32)
    boxes = boxes.reshape(-1, 4)
    return DetectionIndex(
        name="some",
        split=split,
        class_names=("RBC", "WBC", "Platelets"),
        category_ids=np.arange(3),
        image_ids=np.arange(len(images)),
        image_names=tuple(map(str, range(len(images)))),
        sizes=np.full((len(images), 2), side, np.int32),
        orientations=np.ones(len(images), np.int32),
        paths=tuple(map(str, range(len(images)))),
        spans=np.zeros((len(images), 2), np.int64),
        first_box=np.cumsum([0, *map(len, images)]),
        boxes=boxes,
        labels=np.array([label for label, *_ in rows], np.int32),
        crowd=np.full(len(rows), crowd),
        areas=np.ones(len(rows)),
        source_boxes=boxes.astype(float),
        annotation_ids=np.arange(len(rows)),
    )


def test_settings_that_fit_are_not_mentioned():
    index = index_of([[(0, 16, 16)] * 4, [(1, 32, 32), (2, 40, 20)], []])
    assert misfits(CONFIG, index) == []
    assert misfits(CONFIG, index_of([[]])) == []
    assert misfits(CONFIG, index_of([[(0, 3, 3)] * 9] * 3, crowd=True)) == []


def test_fewer_detections_than_objects_are_told():
    many = index_of([[(1, 16, 16)] * 5, [(0, 20, 20)] * 3 + [(1, 20, 20)] * 2])
    more = index_of([[(0, 16, 16)] * 7 + [(2, 16, 16)]], split="val")
    (line,) = misfits(CONFIG, many)
    assert line == (
        "an image has more objects of a class than detections_per_class=4, up to 5 of 'WBC' in "
        "train; the rest cannot be found: --detections_per_class=5"
    )
    per_class, in_all = misfits(CONFIG, many, more)
    assert "2 images" in per_class and "up to 7 of 'RBC' in val" in per_class
    assert per_class.endswith("--detections_per_class=7")
    assert in_all.endswith(
        "an image has more objects than detections=6, up to 8; the rest cannot "
        "be found: --detections=8"
    )
    fewer = CONFIG.override(evaluation_proposals=7)
    assert misfits(fewer, many, more)[1].endswith("--detections=8 --evaluation_proposals=8")
    mended = CONFIG.override(detections_per_class=7, detections=8)
    assert misfits(mended, many, more) == []


@pytest.mark.parametrize(
    ("box", "image", "said"),
    [
        (
            60,
            64,
            "most are larger: boxes of 60 to 60 pixels a side at image_size=64x64, "
            "anchors of 16 to 32: --anchor_scales=1,2",
        ),
        (
            10,
            64,
            "most are smaller: boxes of 10 to 10 pixels a side at image_size=64x64, "
            "anchors of 16 to 32: --anchor_scales=0.25,0.5",
        ),
        (120, 128, "boxes of 60 to 60 pixels"),
    ],
)
def test_anchors_of_other_sizes_than_the_boxes_are_told(box, image, said):
    index = index_of([[(0, box, box), (1, box, box)]] * 3, image)
    (line,) = misfits(CONFIG, index)
    assert line.startswith("100% of the boxes of train have no anchor near their size")
    assert said in line
    scales = tuple(map(float, line.split("--anchor_scales=")[1].split(",")))
    assert misfits(CONFIG.override(anchor_scales=scales), index) == []


def test_few_boxes_of_another_size_are_not_mentioned():
    assert misfits(CONFIG, index_of([[(0, 20, 20)]] * 10 + [[(0, 10, 10)]])) == []


def test_objects_that_vanish_at_the_image_size_are_told():
    index = index_of([[(0, 100, 28)]] * 4, 256)
    (line,) = misfits(CONFIG.override(keep_aspect=True, anchor_scales=(0.25, 0.5, 1.0)), index)
    assert line == (
        "100% of the boxes of train are less than 8 pixels wide or high at image_size=64x64, where "
        "little is seen of them: a larger --image_size"
    )


def test_sizes_are_those_after_resizing():
    index = index_of([[(0, 64, 64)]] * 4, 128)
    assert misfits(CONFIG, index) == []
    wide = CONFIG.override(image_size=(64, 512))
    assert "boxes of 91 to 91" in misfits(wide, index)[0]
    assert misfits(wide.override(keep_aspect=True), index) == []


def test_warm_up_of_most_of_the_run_is_told():
    index = index_of([[(0, 20, 20)]])
    assert misfits(CONFIG.override(warmup_steps=5), index) == []
    (line,) = misfits(CONFIG.override(warmup_steps=6), index)
    assert line == "warmup_steps=6 is most of the 10 steps: lower --warmup_steps"


def test_warm_up_is_a_tenth_of_a_run_that_is_shorter():
    toy = get_config("toy")
    assert toy.override(steps=6).warmup_steps == 0
    assert toy.override(steps=100).warmup_steps == 10
    assert toy.override(steps=101).warmup_steps == 100
    assert toy.override(steps=50, warmup_steps=7).warmup_steps == 7
    with pytest.raises(ValueError, match="warmup_steps=60 is not below steps=50"):
        toy.override(steps=50, warmup_steps=60)
