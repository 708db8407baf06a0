"""Anchors, the box coder, overlaps and matches against plain references."""

import keras
import numpy as np
import pytest

from nasnet_keras.detection.modeling.anchors import anchor_sizes, anchors_inside, make_anchors
from nasnet_keras.detection.modeling.box_coder import decode_boxes, encode_boxes
from nasnet_keras.detection.modeling.boxes import lie_inside, pairwise_coverage, pairwise_iou
from nasnet_keras.detection.modeling.matcher import IGNORED, NEGATIVE, match_boxes
from nasnet_keras.detection.modeling.sampler import sample_balanced

SCALES = (10.0, 10.0, 5.0, 5.0)


def array(x: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


def random_boxes(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """Boxes on a coarse grid, so that equal overlaps and boxes without area come up."""
    corners = generator.integers(0, 9, (*shape, 2, 2))
    low, high = corners.min(-2), corners.max(-2)
    return np.concatenate([low, high], axis=-1).astype("float32")


def overlap(a: np.ndarray, b: np.ndarray, by_first: bool = False) -> float:
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(height, 0) * max(width, 0)
    first, second = ((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
    whole = first if by_first else first + second - shared
    return shared / whole if shared else 0.0


def test_anchors_are_the_papers() -> None:
    sizes = anchor_sizes(256.0, (0.25, 0.5, 1.0, 2.0), (0.5, 1.0, 2.0))
    assert len(sizes) == 12
    assert sizes[4:8] == [(64, 64), (128, 128), (256, 256), (512, 512)]
    np.testing.assert_allclose(sizes[8], (64 / 2**0.5, 64 * 2**0.5))
    anchors = array(make_anchors(sizes, 2, 3, 16))
    assert anchors.shape == (72, 4)
    np.testing.assert_array_equal(anchors[4], (-32, -32, 32, 32))
    # The second row and third column, at the second scale.
    np.testing.assert_array_equal(anchors[5 * 12 + 5], (16 - 64, 32 - 64, 16 + 64, 32 + 64))


@pytest.mark.parametrize("size", [(96, 64), (70, 33), (16, 16)])
def test_anchors_inside_are_counted_as_the_boxes_say(size: tuple[int, int]) -> None:
    sizes = anchor_sizes(32.0, (0.5, 1.0), (0.5, 1.0, 2.0))
    anchors = make_anchors(sizes, -(-size[0] // 16), -(-size[1] // 16), 16)
    inside = array(lie_inside(anchors, np.array([size], "float32")))
    assert inside.sum() == anchors_inside(sizes, size, 16)


def test_coded_boxes_come_back() -> None:
    generator = np.random.default_rng(0)
    low = generator.uniform(0, 900, (2, 1000, 2, 2))
    sides = generator.uniform(20, 300, (2, 1000, 2, 2))
    boxes, anchors = np.moveaxis(np.concatenate([low, low + sides], -1), 2, 0).astype("float32")
    codes = encode_boxes(boxes, anchors, SCALES)
    decoded = array(decode_boxes(codes, anchors, SCALES))
    np.testing.assert_allclose(decoded / 1200, boxes / 1200, atol=1e-6)
    box, anchor = boxes[0, 0].astype("float64"), anchors[0, 0].astype("float64")
    sides_of = [x[2:] - x[:2] for x in (box, anchor)]
    centres = [(x[2:] + x[:2]) / 2 for x in (box, anchor)]
    offsets = 10 * (centres[0] - centres[1]) / sides_of[1]
    expected = np.concatenate([offsets, 5 * np.log(sides_of[0] / sides_of[1])])
    np.testing.assert_allclose(array(codes)[0, 0], expected, rtol=1e-4, atol=1e-4)


def test_an_absurd_prediction_stays_finite() -> None:
    codes = np.full((1, 1, 4), 1e6, "float32")
    boxes = array(decode_boxes(codes, np.array([[0, 0, 16, 16]], "float32"), SCALES))
    assert np.isfinite(boxes).all()
    np.testing.assert_allclose(boxes[0, 0, 2:] - boxes[0, 0, :2], 1000, rtol=1e-3)


def test_overlaps_are_the_plain_formula() -> None:
    generator = np.random.default_rng(1)
    boxes, others = random_boxes(generator, 2, 30), random_boxes(generator, 2, 20)
    iou, coverage = array(pairwise_iou(boxes, others)), array(pairwise_coverage(boxes, others))
    for k in range(2):
        for i in range(30):
            for j in range(20):
                a, b = boxes[k, i], others[k, j]
                assert iou[k, i, j] == pytest.approx(overlap(a, b), abs=1e-6)
                assert coverage[k, i, j] == pytest.approx(overlap(a, b, True), abs=1e-6)


def brute_force(
    iou: np.ndarray,
    candidates: np.ndarray,
    boxes: np.ndarray,
    is_object: np.ndarray,
    is_crowd: np.ndarray,
    allowed: np.ndarray,
    positive: float,
    negative: float,
    force: bool,
) -> list[int]:
    """One image, one candidate after the other."""
    real = [j for j in range(len(boxes)) if is_object[j]]
    matches = []
    for i, candidate in enumerate(candidates):
        best = max(real, key=lambda j: (iou[i, j], -j), default=None)
        largest = -1.0 if best is None else iou[i, best]
        if best is not None and largest >= positive:
            matches.append(best)
        elif largest < negative:
            crowds = [boxes[j] for j in range(len(boxes)) if is_crowd[j]]
            covered = any(overlap(candidate, box, True) >= 0.5 for box in crowds)
            matches.append(IGNORED if covered else NEGATIVE)
        else:
            matches.append(IGNORED)
    if force:
        usable = [i for i in range(len(candidates)) if allowed[i]]
        for j in reversed(real):
            best = max(usable, key=lambda i: (iou[i, j], -i), default=None)
            if best is not None and iou[best, j] > 0:
                matches[best] = j
    return [match if ok else IGNORED for match, ok in zip(matches, allowed, strict=True)]


@pytest.mark.parametrize(("positive", "negative", "force"), [(0.7, 0.3, True), (0.5, 0.5, False)])
def test_matches_are_those_of_brute_force(positive: float, negative: float, force: bool) -> None:
    generator = np.random.default_rng(3)
    images = 2000
    candidates = random_boxes(generator, images, 12)
    boxes = random_boxes(generator, images, 4)
    kind = generator.integers(0, 4, (images, 4))
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    is_object, is_crowd = (kind < 2) & (area > 0), (kind == 2) & (area > 0)
    allowed = generator.uniform(size=(images, 12)) < 0.8
    found = array(
        match_boxes(
            candidates,
            boxes,
            is_object,
            is_crowd,
            positive_iou=positive,
            negative_iou=negative,
            force_best=force,
            crowd_overlap=0.5,
            allowed=allowed,
        )
    )
    iou = array(pairwise_iou(candidates, boxes))
    seen = set()
    for k in range(images):
        arguments = (iou[k], candidates[k], boxes[k], is_object[k], is_crowd[k], allowed[k])
        expected = brute_force(*arguments, positive, negative, force)
        assert found[k].tolist() == expected, k
        seen.update(expected)
    assert seen == {IGNORED, NEGATIVE, 0, 1, 2, 3}


def test_samples_are_balanced_and_fill_up_with_negatives() -> None:
    generator = np.random.default_rng(4)
    positive = np.zeros((4, 50), bool)
    negative = np.zeros((4, 50), bool)
    positive[0, :20], negative[0, 20:] = True, True
    positive[1, 7], negative[1, 20:] = True, True
    positive[2, :20], negative[2, 45:] = True, True
    noise = generator.uniform(size=(4, 50)).astype("float32")
    indices, drawn = map(array, sample_balanced(positive, negative, noise, 16, 0.25))
    assert drawn.sum(axis=1).tolist() == [16, 16, 9, 0]
    rows = np.arange(4)[:, None]
    assert (positive[rows, indices] & drawn).sum(axis=1).tolist() == [4, 1, 4, 0]
    assert (negative[rows, indices] & drawn).sum(axis=1).tolist() == [12, 15, 5, 0]
    for k in range(4):
        chosen = indices[k][drawn[k]]
        assert len(set(chosen.tolist())) == len(chosen)
    # The largest noise wins.
    best = np.argsort(-np.where(positive[0], noise[0], -1))[:4]
    assert set(indices[0, :4].tolist()) == set(best.tolist())


def test_every_example_is_as_likely_to_be_drawn() -> None:
    noise = np.random.default_rng(5).uniform(size=(4000, 10)).astype("float32")
    positive = np.zeros((4000, 10), bool)
    positive[:, :4] = True
    indices, drawn = map(array, sample_balanced(positive, ~positive, noise, 4, 0.5))
    assert drawn.all()
    share = np.bincount(indices.ravel(), minlength=10) / 4000
    np.testing.assert_allclose(share, [0.5] * 4 + [1 / 3] * 6, atol=0.03)


def test_a_sample_larger_than_what_there_is_leaves_places_empty() -> None:
    positive = np.array([[True, False, False]])
    indices, drawn = sample_balanced(positive, ~positive, np.full((1, 3), 0.5, "float32"), 8, 0.5)
    assert array(drawn).tolist() == [[True] * 3 + [False] * 5]
    assert array(indices)[0, :3].tolist() == [0, 1, 2]
