"""Boxes go where the pixels go: a mask is warped with the image's own code and measured."""

import numpy as np
import pytest

from nasnet_keras.detection.data.augmentation import DetectionAugmentation

pytestmark = pytest.mark.tensorflow

SIZE, CANVAS = (90, 120), (64, 80)
WILD = DetectionAugmentation(0.5, (0.6, 1.6), 0.7, (0.2, 1.0), (0.5, 2.0))


def extent(mask: np.ndarray) -> list[float]:
    """Returns where a soft mask is above a half, as top, left, bottom, right."""
    rows, columns = np.flatnonzero((mask > 0.5).any(1)), np.flatnonzero((mask > 0.5).any(0))
    return [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]


def warp(image, view):
    from nasnet_keras.detection.data.augmentation import view_image

    top, left, height, width = (int(number) for number in view[:4])
    return view_image(image[top : top + height, left : left + width], view, CANVAS).numpy()


@pytest.mark.parametrize("keep_aspect", [False, True])
def test_boxes_are_where_a_warped_mask_is(keep_aspect):
    from nasnet_keras.detection.data.augmentation import random_view, view_boxes

    random = np.random.default_rng(0)
    flips, cuts = set(), 0
    for number in range(60):
        top, left = random.integers(0, 60), random.integers(0, 80)
        bottom, right = top + random.integers(15, 31), left + random.integers(15, 41)
        box = np.array([[top, left, bottom, right]], np.float32)
        image = np.zeros((*SIZE, 3), np.float32)
        image[top:bottom, left:right] = 255
        view = random_view(SIZE, box, CANVAS, keep_aspect, WILD, (3, number))
        boxes, visible = view_boxes(box, view)
        warped = warp(image, view)
        # A pixel of the image may be up to 1.6 pixels of the canvas, cut off in its middle.
        mask = warped[: int(view.new_height), : int(view.new_width), 0] / 255
        np.testing.assert_allclose(boxes[0], extent(mask), atol=1.01)
        window = image[:, :, 0][
            int(view.top) : int(view.top + view.height),
            int(view.left) : int(view.left + view.width),
        ]
        assert visible[0].numpy() == pytest.approx(window.sum() / image[:, :, 0].sum(), abs=1e-5)
        flips.add(bool(view.flipped))
        cuts += visible[0].numpy() < 1
    assert flips == {True, False} and 5 < cuts < 55


def test_views_fit_the_image_and_the_canvas_and_keep_an_object_in_sight():
    from nasnet_keras.detection.data.augmentation import random_view, view_boxes

    random = np.random.default_rng(1)
    for number in range(150):
        size = random.integers(1, 200, 2).astype(np.int32)
        corner = random.uniform(0, 0.9, 2) * size
        boxes = np.array([[*corner, *(corner + random.uniform(0.01, 0.1, 2) * size)]], np.float32)
        boxes = boxes[: number % 3]  # Every third image has none.
        view = random_view(size, boxes, CANVAS, bool(number % 2), WILD, (0, number))
        top, left, height, width, new_height, new_width = (int(value) for value in view[:6])
        assert top >= 0 and height > 0 and top + height <= size[0]
        assert left >= 0 and width > 0 and left + width <= size[1]
        assert 0 < new_height <= CANVAS[0] and 0 < new_width <= CANVAS[1]
        if len(boxes):
            assert view_boxes(boxes, view)[1].numpy()[0] > 0


def test_the_same_seed_and_position_give_the_same_view():
    from nasnet_keras.detection.data.augmentation import random_view

    def draw(*seed):
        box = np.array([[10, 10, 40, 50]], np.float32)
        return [float(x) for x in random_view(SIZE, box, CANVAS, True, WILD, seed)]

    assert draw(1, 2) == draw(1, 2)
    assert draw(1, 2) != draw(1, 3) and draw(1, 2) != draw(2, 2)


def test_crops_have_the_area_that_was_asked_for():
    from nasnet_keras.detection.data.augmentation import random_view

    crop = DetectionAugmentation(0, (1, 1), 1.0, (0.25, 0.25), (0.8, 1.25))
    shares = []
    for number in range(40):
        view = random_view(
            (400, 600), np.zeros((0, 4), np.float32), CANVAS, False, crop, (0, number)
        )
        shares.append(int(view.height) * int(view.width) / (400 * 600))
        assert (int(view.new_height), int(view.new_width)) == CANVAS
    np.testing.assert_allclose(shares, 0.25, atol=0.002)


def test_whole_view_stretches_or_keeps_the_aspect():
    from nasnet_keras.detection.data.augmentation import view_boxes, view_image, whole_view

    box = np.array([[9, 12, 90, 120]], np.float32)
    for keep_aspect, expected_size in ((False, (64, 80)), (True, (60, 80))):
        view = whole_view(SIZE, CANVAS, keep_aspect)
        assert (int(view.new_height), int(view.new_width)) == expected_size
        height, width = expected_size
        expected = [[height / 10, width / 10, height, width]]
        np.testing.assert_allclose(view_boxes(box, view)[0], expected, rtol=1e-6)
        image = view_image(np.full((*SIZE, 3), 255, np.uint8), view, CANVAS).numpy()
        np.testing.assert_allclose(image[:height, :width], 255, rtol=1e-6)
        assert (image[height:] == 0).all() and image.shape == (64, 80, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip": 1.5},
        {"scale_range": (1.2, 0.8)},
        {"crop_area": (0, 1)},
        {"crop_aspect": (1,)},
        {"min_visible": float("nan")},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DetectionAugmentation(**wrong)
