"""Boxes and labels are drawn where they belong; mistakes are told apart and shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.detection.data.coco_files import read_coco_directory
from nasnet_keras.detection.evaluation.mistakes import judge_detections
from nasnet_keras.detection.visualization.contact_sheets import (
    batch_pictures,
    mistake_sheets,
    training_sheet,
)
from nasnet_keras.detection.visualization.drawing import (
    GREEN,
    RED,
    class_color,
    contact_sheet,
    draw_boxes,
)
from tests.detection.data.coco_directory import CATEGORIES, annotation, write_coco

ROOT = Path(__file__).parents[3]


def colored(picture, color):
    """Returns where a picture has a colour, as top, left, bottom, right."""
    found = (np.asarray(picture) == color).all(-1)
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1] if rows.size else None


def test_outline_lies_just_inside_the_box():
    image = np.full((80, 100, 3), 90, np.uint8)
    picture = draw_boxes(image, np.array([[20, 30, 60, 90]]), colors=[RED])
    assert colored(picture, RED) == [20, 30, 60, 90]
    inner = np.asarray(picture)[22:58, 32:88]
    assert (inner == 90).all() and (image == 90).all()
    dashed = draw_boxes(image, np.array([[20, 30, 60, 90]]), colors=[RED], dashed=[True])
    assert colored(dashed, RED) == [20, 30, 60, 90]
    count = [(np.asarray(p) == RED).all(-1).sum() for p in (picture, dashed)]
    assert 0 < count[1] < 0.8 * count[0]


def test_labels_stay_in_the_picture_and_off_each_other():
    image = np.zeros((120, 160, 3), np.uint8)
    boxes = np.array([[-10, -10, 300, 300], [0, 0, 40, 40], [0, 0, 38, 42], [100, 150, 119, 159]])
    colors = [RED, GREEN, (1, 2, 250), (250, 250, 0)]
    names = ["everything", "one", "two", "three"]
    bare = draw_boxes(image, boxes, colors=colors)
    labelled = draw_boxes(image, boxes, names, np.array([0.5, 0.25, 1, 0.01]), colors)
    assert labelled.size == (160, 120)
    changed = (np.asarray(bare) != np.asarray(labelled)).any(-1)
    for color in colors:
        # Each label has a ground of its own colour, wide enough for its words.
        ground = changed & (np.asarray(labelled) == color).all(-1)
        assert ground.any(0).sum() > 25 and ground.any(1).sum() > 8
    # No box, no label, no change.
    assert colored(draw_boxes(image, np.zeros((0, 4)), []), RED) is None


def test_as_many_names_as_boxes_are_needed():
    with pytest.raises(ValueError, match="there are 1 boxes and 2 names"):
        draw_boxes(np.zeros((9, 9, 3), np.uint8), np.zeros((1, 4)), ["a", "b"])
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([])


def test_sheet_holds_all_pictures():
    colors = [class_color(label) for label in range(5)]
    assert len(set(colors)) == 5
    pictures = [Image.new("RGB", (30, 20), color) for color in colors]
    sheet = contact_sheet(pictures, [f"{n} " + "long " * 40 for n in range(5)], 2, 60, "Title")
    for number, color in enumerate(colors):
        top, left, bottom, right = colored(sheet, color)
        assert (bottom - top, right - left) == (40, 60)
        assert left == 8 + (number % 2) * 68


def result(image, category, box, score):
    return {"image_id": image, "category_id": category, "bbox": box, "score": score}


@pytest.fixture
def index(tmp_path):
    images = [{"id": n, "file_name": f"{n}.png", "height": 100, "width": 120} for n in (1, 2, 3)]
    boxes = [
        annotation(1, 1, [10, 10, 20, 20], 3),
        annotation(2, 1, [60, 60, 20, 20], 7),
        annotation(3, 2, [0, 0, 100, 50], 3, iscrowd=1),
        annotation(4, 3, [50, 50, 30, 30], 3),
        annotation(5, 3, [10, 10, 8, 8], 3),
    ]
    content = {"images": images, "annotations": boxes, "categories": CATEGORIES}
    return read_coco_directory(write_coco(tmp_path, content), "val")


RESULTS = [
    result(1, 3, [12, 10, 20, 20], 0.8),
    result(1, 3, [11, 10, 20, 20], 0.9),
    result(1, 3, [60, 61, 20, 20], 0.7),
    result(1, 7, [95, 0, 20, 20], 0.6),
    result(1, 7, [60, 60, 20, 20], 0.1),  # Too unsure to count.
    result(2, 3, [10, 10, 20, 20], 0.5),
    result(3, 3, [60, 60, 30, 30], 0.5),
]


def test_each_detection_gets_its_verdict(index):
    judgement = judge_detections(index, RESULTS)
    found = [(d.image, d.score, d.verdict, d.row) for d in judgement.detections]
    assert found == [
        (0, 0.9, "correct", 0),
        (0, 0.8, "duplicate", 0),
        (0, 0.7, "confused", 1),
        (0, 0.6, "background", -1),
        (1, 0.5, "ignored", 2),
        (2, 0.5, "misplaced", 3),
    ]
    assert judgement.detections[0].iou == pytest.approx(19 / 21)
    assert judgement.detections[4].iou == 1
    assert judgement.missed == (1, 3, 4)
    counts = judgement.counts(index)
    assert counts["cat"] == {
        "correct": 1, "duplicate": 1, "confused": 1, "misplaced": 1, "background": 0,
        "ignored": 1, "missed": 2,
    }  # fmt: skip
    assert counts["dog"]["background"] == counts["dog"]["missed"] == 1


def test_correct_detections_are_those_pycocotools_counts(index):
    """Precision at the end of the list and recall follow from the verdicts."""
    evaluation = pytest.importorskip("nasnet_keras.detection.evaluation.coco_metrics")
    pytest.importorskip("faster_coco_eval")
    kept = [r for r in RESULTS if r["score"] >= 0.3]
    metrics = evaluation.evaluate_results(index, kept)
    # One of three cats is found, first of all: precision 1 up to recall 1/3, 34 of 101 points.
    assert metrics.per_class["cat"]["AP50"] == pytest.approx(34 / 101)
    assert metrics.per_class["dog"]["AP50"] == 0


def test_mistakes_are_shown_by_class(index):
    sheets = mistake_sheets(index, judge_detections(index, RESULTS), columns=2, cell=100)
    assert {name: set(kinds) for name, kinds in sheets.items()} == {
        "cat": {"false_positives", "misses"},
        "dog": {"false_positives", "misses"},
    }
    # Three false positives in two rows of cells, with captions and a title.
    assert sheets["cat"]["false_positives"].size == (2 * 108 + 8, 34 + 2 * 128 + 8)
    assert sheets["dog"]["misses"].size == (108 + 8, 34 + 128 + 8)
    assert colored(sheets["dog"]["false_positives"], RED) is not None
    perfect = [result(1, 3, [10, 10, 20, 20], 1), result(1, 7, [60, 60, 20, 20], 1)]
    part = index.select([1])
    assert mistake_sheets(part, judge_detections(part, perfect)) == {}


@pytest.mark.parametrize(
    "box",
    [
        [500, 400, 20, 20],
        [-90, -80, 20, 20],
        [150, 10, 5, 5],
        [30, 40, -20, -30],
        [-1e308, 1e308, 2e307, 1e308],
    ],
)
def test_detections_outside_the_picture_are_shown_at_its_edge(index, box):
    judgement = judge_detections(index, [result(1, 7, box, 0.9)])
    sheets = mistake_sheets(index, judgement, columns=1, cell=100)
    # The title and the caption have no red.
    assert colored(sheets["dog"]["false_positives"], RED) is not None


def test_programs_sheets_of_classes_with_like_names_are_kept_apart(tmp_path):
    names = ("a/b", "a b", "A B", "a_b-2")
    content = {
        "images": [{"id": 1, "file_name": "1.png", "height": 90, "width": 90}],
        "annotations": [
            annotation(n, 1, [20 * n, 9, 9, 9], category=n) for n in range(1, len(names) + 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names, 1)],
    }
    write_coco(tmp_path / "data", content)
    (tmp_path / "results.json").write_text(json.dumps([result(1, 3, [900, 900, 5, 5], 0.8)]))
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "object_detection/browse.py"),
            f"--dataset_dir={tmp_path / 'data'}",
            f"--results={tmp_path / 'results.json'}",
            f"--output_dir={tmp_path / 'wrong'}",
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "wrong").glob("*.png")} == {
        "a_b_misses.png",
        "a_b-2_misses.png",
        "A_B-3_misses.png",
        "A_B-3_false_positives.png",
        "a_b-2-2_misses.png",
    }


def test_training_pictures_show_boxes_where_they_are():
    batch = {
        "images": np.full((1, 50, 100, 3), 90.4, np.float32),
        "image_sizes": np.array([[50, 100]]),
        "boxes": np.array([[[10, 20, 30, 60], [0, 0, 5, 5], [0, 0, 0, 0]]], np.float32),
        "labels": np.array([[1, 0, -1]]),
        "crowd": np.array([[False, True, False]]),
        "image_ids": np.array([7]),
    }
    (picture,) = batch_pictures(batch, ("", ""), side=200)
    assert picture.size == (200, 100)
    assert colored(picture, class_color(1)) == [20, 40, 60, 120]
    assert colored(picture, class_color(0)) is None  # What is ignored is grey.
    assert picture.getpixel((190, 90)) == (90, 90, 90)
    assert training_sheet([batch, batch], ("a", "b"), columns=2, cell=80).size == (184, 150)
