"""The metrics are pycocotools'; results files are checked."""

import contextlib
import dataclasses
import io
import json

import numpy as np
import pytest

from nasnet_keras.detection.data.coco_files import read_coco_directory
from nasnet_keras.detection.evaluation.coco_metrics import (
    SUMMARY_NAMES,
    coco_ground_truth,
    coco_results,
    evaluate_results,
    original_boxes,
    read_results,
    write_results,
)
from tests.detection.data.coco_directory import annotation, two_images, write_coco


def random_results(index, seed=0):
    """Returns true boxes shaken, some with a wrong class, some twice, some on nothing."""
    random, results = np.random.default_rng(seed), []
    for image in range(len(index)):
        for row in range(*index.first_box[image : image + 2]):
            left, top, width, height = index.source_boxes[row]
            for _ in range(random.integers(0, 4)):
                label = index.labels[row] if random.random() < 0.8 else random.integers(2)
                shift = random.normal(0, 0.1, 4)
                box = [left + shift[0] * width, top + shift[1] * height]
                box += [width * np.exp(shift[2]), height * np.exp(shift[3])]
                results.append(
                    {
                        "image_id": int(index.image_ids[image]),
                        "category_id": int(index.category_ids[label]),
                        "bbox": [float(value) for value in box],
                        # Few different scores: ties are broken alike.
                        "score": float(random.integers(20)) / 20,
                    }
                )
    return results


def reference(truth, results, image_ids):
    """Returns pycocotools' twelve numbers, and its AP and AP50 of each category."""
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = truth
        known.createIndex()
        evaluation = cocoeval.COCOeval(known, known.loadRes(results), "bbox")
        evaluation.params.imgIds = sorted(image_ids)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        numbers, per_class = evaluation.stats.tolist(), {}
        for category in known.loadCats(known.getCatIds()):
            evaluation.params.catIds = [category["id"]]
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            per_class[category["name"]] = evaluation.stats[:2].tolist()
    return numbers, per_class


def check_against_reference(index, truth, results):
    metrics = evaluate_results(index, results)
    numbers, per_class = reference(truth, results, index.image_ids.tolist())
    assert tuple(metrics.summary) == SUMMARY_NAMES and metrics.images == len(index)
    np.testing.assert_allclose(list(metrics.summary.values()), numbers, rtol=0, atol=1e-12)
    for name, expected in per_class.items():
        ours = [metrics.per_class[name]["AP"], metrics.per_class[name]["AP50"]]
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
    assert 0.01 < metrics.summary["AP"] < 0.99
    return metrics


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Returns annotations of 30 images with crowds and objects of every size, and their index."""
    random = np.random.default_rng(5)
    content = two_images()
    content["images"] = [
        {"id": 3 * n + 1, "file_name": f"{n}.png", "height": 200, "width": 220} for n in range(30)
    ]
    content["annotations"] = []
    for n in range(29):  # The last image has none.
        for _ in range(random.integers(0, 5)):
            width, height = (float(x) for x in np.round(np.exp(random.uniform(1, 5, 2)), 2))
            box = [float(x) for x in np.round(random.uniform(0, [220 - width, 200 - height]), 2)]
            content["annotations"].append(
                annotation(
                    len(content["annotations"]) + 1,
                    3 * n + 1,
                    [*box, width, height],
                    [3, 7][random.integers(2)],
                    iscrowd=int(random.random() < 0.15),
                    area=round(width * height * 0.7, 3),
                )
            )
    root = write_coco(tmp_path_factory.mktemp("many"), content)
    return content, read_coco_directory(root, "val")


def test_metrics_are_those_of_pycocotools(many):
    content, index = many
    pytest.importorskip("faster_coco_eval")
    assert index.crowd.any()
    check_against_reference(index, content, random_results(index))


def test_part_of_a_split_is_scored_by_itself(many):
    content, index = many
    pytest.importorskip("faster_coco_eval")
    part = index.select(index.image_ids[3:17])
    results = random_results(part)
    metrics = check_against_reference(part, content, results)
    assert metrics.images == 14
    with pytest.raises(ValueError, match="is on image 1, which is not in val"):
        evaluate_results(part, [dict(results[0], image_id=1)])


def test_true_boxes_score_one_and_no_results_zero(many):
    _, index = many
    pytest.importorskip("faster_coco_eval")
    truth = [
        {key: box[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
        for box in coco_ground_truth(index)["annotations"]
        if not box["iscrowd"]
    ]
    metrics = evaluate_results(index, truth)
    assert metrics.summary["AP"] == metrics.summary["AR_100"] == 1
    assert metrics.per_class["cat"] == {"AP": 1, "AP50": 1}
    # Many number their annotations from 0, which COCO's own evaluation takes for "no match".
    from_zero = dataclasses.replace(index, annotation_ids=np.arange(len(index.labels)))
    assert evaluate_results(from_zero, truth).summary == metrics.summary
    nothing = evaluate_results(index, [])
    assert nothing.summary["AP"] == nothing.summary["AR_100"] == 0
    assert nothing.per_class["dog"]["AP"] == 0
    assert nothing.summary["AP_large"] == -1  # There is no large object.
    # A detection on a crowd is no mistake, wherever it ranks.
    crowds = [
        {key: box[key] for key in ("image_id", "category_id", "bbox")} | {"score": 2.0}
        for box in coco_ground_truth(index)["annotations"]
        if box["iscrowd"]
    ]
    assert crowds and evaluate_results(index, truth + crowds).summary["AP"] == 1


def test_real_coco_scores_as_in_pycocotools(real_data):
    pytest.importorskip("faster_coco_eval")
    index = read_coco_directory(real_data / "coco", "val")
    content = json.loads((real_data / "coco/annotations/instances_val2017.json").read_bytes())
    check_against_reference(index, content, random_results(index))


def test_batches_become_results_on_the_images_as_stored(many, tmp_path):
    _, index = many
    ids = index.image_ids[:2]
    boxes = np.array([[[10, 20, 30, 40], [0, 0, 0, 0]], [[-5, 0, 999, 50], [1, 2, 3, 4]]])
    scales, sizes = np.array([[0.5, 1.0], [2.0, 0.25]]), index.sizes[:2]
    stored = original_boxes(boxes, scales, sizes)
    assert stored[0, 0].tolist() == [20, 20, 60, 40] and stored[1, 0].tolist() == [0, 0, 200, 200]
    results = coco_results(
        index, ids, stored, np.array([[0.9, 0.1], [0.5, 0.25]]), np.array([[1, -1], [0, 1]])
    )
    assert results == [
        {"image_id": 1, "category_id": 7, "bbox": [20, 20, 20, 40], "score": 0.9},
        {"image_id": 4, "category_id": 3, "bbox": [0, 0, 200, 200], "score": 0.5},
        {"image_id": 4, "category_id": 7, "bbox": [8, 0.5, 8, 1], "score": 0.25},
    ]
    # A detector of other classes: by their ids, of which the dataset has 3 and 7.
    own = np.array([[0, -1], [1, 2]])
    found = coco_results(index, ids, stored, np.full((2, 2), 0.5), own, category_ids=(7, 5, 3))
    assert [(each["image_id"], each["category_id"]) for each in found] == [(1, 7), (4, 3)]
    write_results(tmp_path / "results.json", results)
    assert read_results(tmp_path / "results.json", index) == results
    with pytest.raises(ValueError, match="image 1: a detection is not finite"):
        coco_results(index, ids[:1], stored[:1], np.array([[np.nan, 0]]), np.array([[1, -1]]))
    with pytest.raises(ValueError, match="label 2, but there are 2 classes"):
        coco_results(index, ids[:1], stored[:1], np.zeros((1, 2)), np.array([[2, -1]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category_id": 4}, "result 0 has the unknown category 4"),
        ({"bbox": [1, 2, 3]}, "result 0 is not a box of four numbers"),
        ({"bbox": None}, "result 0 is not a box of four numbers"),
        ({"score": "high"}, "result 0 is not a box of four numbers"),
        ({"image_id": [1]}, "result 0 is on image"),
    ],
)
def test_results_of_another_dataset_are_refused(many, tmp_path, change, message):
    _, index = many
    good = {"image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 5], "score": 0.5}
    path = tmp_path / "results.json"
    path.write_text(json.dumps([good | change]))
    with pytest.raises(ValueError, match=message):
        read_results(path, index)
    path.write_text(json.dumps([{"image_id": 1}]))
    with pytest.raises(ValueError, match="not in COCO's format"):
        read_results(path, index)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        read_results(path, index)
