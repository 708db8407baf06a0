"""What training does to a picture without TensorFlow is what it does with it."""

import numpy as np
import pytest

from nasnet_keras.data import numpy_colors
from nasnet_keras.data.numpy_preprocessing import crop_or_pad, resize_from_corner, whiten
from nasnet_keras.data.numpy_training import sample_crop, training_picture
from nasnet_keras.data.stream_preprocessing import STREAM_PREPROCESSINGS


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["brightness", "saturation", "hue", "contrast"])
def test_colors_are_changed_as_by_tensorflow(name):
    import tensorflow as tf

    # As after another change, with pixels below 0 and above 1, grey ones and black ones.
    image = np.random.default_rng(0).uniform(-0.1, 1.1, (30, 40, 3)).astype(np.float32)
    image[0], image[1], image[2, :, 1] = 0.5, 0, image[2, :, 0]
    change = getattr(numpy_colors, f"change_{name}")
    for amount in {"hue": (-0.2, 0.0, 0.15), "brightness": (-0.1, 0.1)}.get(name, (0.5, 1.0, 1.5)):
        expected = getattr(tf.image, f"adjust_{name}")(image, amount).numpy()
        found = change(image, amount)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=2e-6, err_msg=f"{name} {amount}")


@pytest.mark.tensorflow
def test_resizing_and_borders_are_tensorflows(picture):
    import tensorflow as tf

    for size in (17, 45, 64):
        expected = tf.raw_ops.ResizeBilinear(
            images=picture[np.newaxis].astype("float32"), size=[size, size]
        )[0].numpy()
        np.testing.assert_allclose(resize_from_corner(picture, size), expected, atol=1e-4)
        expected = tf.image.resize_with_crop_or_pad(picture, size, 50).numpy()
        np.testing.assert_array_equal(crop_or_pad(picture, size, 50), expected)


@pytest.mark.tensorflow
def test_crops_are_distributed_as_tensorflows():
    from nasnet_keras.data.inception import sample_crop as by_tensorflow

    height, width, draws = 300, 400, 600
    generator = np.random.default_rng(0)
    ours = np.array([sample_crop(height, width, generator) for _ in range(draws)], float)
    boxes = [by_tensorflow(np.array([height, width, 3]), [0, seed]) for seed in range(draws)]
    theirs = np.array([[*corner[:2], *extent[:2]] for corner, extent in boxes], float)
    for values in (ours, theirs):
        tops, lefts, rows, columns = values.T
        assert (tops >= 0).all() and (tops + rows <= height).all() and (lefts >= 0).all()
        assert (lefts + columns <= width).all()
    for statistic in (
        lambda v: v[:, 2] * v[:, 3] / (height * width),
        lambda v: v[:, 3] / v[:, 2],
        lambda v: v[:, 0] / np.maximum(height - v[:, 2], 1),
        lambda v: v[:, 1] / np.maximum(width - v[:, 3], 1),
    ):
        expected, found = statistic(theirs), statistic(ours)
        # Four standard errors of the difference, and about as much for the deviations.
        error = expected.std() * (2 / draws) ** 0.5
        assert abs(found.mean() - expected.mean()) < 4 * error
        assert abs(found.std() - expected.std()) < 4 * error


def test_an_image_that_no_crop_fits_is_taken_as_it_is():
    assert sample_crop(1, 400, np.random.default_rng(0)) == (0, 0, 1, 400)


@pytest.mark.parametrize("name", STREAM_PREPROCESSINGS)
def test_training_repeats_for_a_seed_and_is_another_for_another(name, picture):
    first, again, other = (
        training_picture(picture, name, 24, seed) for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert first.shape == (24, 24, 3) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (name in ("scale", "whiten"))


def test_cifar_takes_any_crop_of_the_border_and_flips_half_of_them(ramps):
    padded = np.pad(ramps, ((4, 4), (4, 4), (0, 0))).astype(np.float32)
    crops = {
        whiten(padded[top : top + 32, left : left + 32][:, ::step]).tobytes(): (top, left, step)
        for top in range(9)
        for left in range(9)
        for step in (1, -1)
    }
    drawn = [training_picture(ramps, "cifar", 32, [0, seed]) for seed in range(400)]
    found = np.array([crops[image.tobytes()] for image in drawn])
    for column in (0, 1):
        assert set(found[:, column]) == set(range(9))
    assert 150 < (found[:, 2] == 1).sum() < 250


def test_cutout_hides_squares_that_may_lie_outside_in_part(ramps):
    areas = set()
    for seed in range(60):
        plain = training_picture(ramps, "cifar", 32, [0, seed])
        image = training_picture(ramps, "cifar_cutout", 32, [0, seed])
        rows, columns = np.nonzero((image != plain).any(axis=-1))
        assert np.ptp(rows) < 16 and np.ptp(columns) < 16
        assert (image[rows, columns] == 0).all()
        areas.add(len(rows))
    assert max(areas) == 256 and min(areas) < 160


def test_inception_keeps_to_its_range_and_flips(picture):
    images = np.array([training_picture(picture, "inception", 24, [0, seed]) for seed in range(40)])
    assert images.min() >= -1 and images.max() <= 1
    # A picture that grows brighter to the right does so to the left in about half of the crops.
    ramp = np.arange(60, dtype=np.uint8)[np.newaxis, :, np.newaxis].repeat(45, 0).repeat(3, 2) * 4
    flipped = 0
    for seed in range(60):
        image = training_picture(ramp, "inception", 24, [0, seed])
        flipped += bool(image[:, 0].mean() > image[:, -1].mean())
    assert 15 < flipped < 45


def test_an_unknown_preprocessing_is_told_with_the_nearest(picture):
    with pytest.raises(ValueError, match="'inceptoin'.*inception"):
        training_picture(picture, "inceptoin", 24, [0, 0])
