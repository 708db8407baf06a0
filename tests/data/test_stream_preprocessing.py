"""Preprocessing inside tf.data: the original code's numbers, and random changes within limits."""

from collections.abc import Callable

import numpy as np
import pytest

from nasnet_keras.data.cifar_preprocessing import CifarPreprocessing
from nasnet_keras.data.inception import InceptionPreprocessing, distort_color, sample_crop
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.stream_preprocessing import (
    STREAM_PREPROCESSINGS,
    get_stream_preprocessing,
)

pytestmark = pytest.mark.tensorflow


def png(image: np.ndarray):
    import tensorflow as tf

    return tf.io.encode_png(image)


def test_inception_evaluation_equals_the_original_codes(golden, real_data):
    import tensorflow as tf

    values = np.load(golden / "slim_training.npz")
    keys = [name for name in values.files if name.startswith("inception_eval|")]
    wanted = {key.split("|")[1] for key in keys}
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "file_name")}
    records = tf.data.TFRecordDataset(
        [str(path) for path in real_data.glob("tfds/imagenet2012/*/imagenet2012-train*")]
    )
    seen = 0
    for record in records:
        example = tf.io.parse_single_example(record, features)
        name = example["file_name"].numpy().decode()
        for size in (224, 331) if name in wanted else ():
            key = f"inception_eval|{name}|{size}|"
            expected, (row, column) = values[key + "rgb"], values[key + "ij"].T
            result = InceptionPreprocessing().evaluate(example["image"], size).numpy()
            np.testing.assert_allclose(result[row, column], expected, atol=1e-6)
            np.testing.assert_allclose(
                [result.mean(), result.std()], values[key + "mean_std"], atol=1e-6
            )
            # The one of classify_image and of the exported networks is the same.
            pixels = tf.io.decode_image(example["image"]).numpy()[np.newaxis]
            same = np.asarray(preprocess(pixels, "inception", size))[0]
            np.testing.assert_allclose(same[row, column], expected, atol=2e-6)
            seen += 1
    assert seen == 6


def test_cifar_evaluation_equals_the_original_codes(golden):
    values = np.load(golden / "slim_training.npz")
    for number in (0, 1):
        given, expected = (values[f"cifar_eval|{number}|{end}"] for end in ("in", "out"))
        result = CifarPreprocessing().evaluate(png(given), 32).numpy()
        np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["inception", "cifar", "whiten", "scale"])
def test_preprocessing_inside_and_outside_tf_data_is_the_same(name, picture):
    streamed = get_stream_preprocessing(name).evaluate(png(picture), 33).numpy()
    direct = np.asarray(preprocess(picture[np.newaxis], name, 33))[0]
    np.testing.assert_allclose(direct, streamed, atol=2e-5)


@pytest.mark.parametrize("name", STREAM_PREPROCESSINGS)
def test_training_repeats_for_a_seed_and_is_another_for_another(name, picture):
    train = get_stream_preprocessing(name).train
    first, again, other = (
        train(png(picture), 24, seed).numpy() for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert first.shape == (24, 24, 3) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (name in ("scale", "whiten"))


def test_inception_crops_are_within_their_limits():
    boxes = [sample_crop(np.array([400, 600, 3]), [0, seed]) for seed in range(300)]
    height, width = np.array([np.asarray(extent)[:2] for _, extent in boxes]).T
    area, aspect = height * width / 240_000, width / height
    assert area.min() > 0.045 and area.max() <= 1 and area.min() < 0.15 and area.max() > 0.7
    assert aspect.min() > 0.73 and aspect.max() < 1.36 and np.ptp(aspect) > 0.4


def test_inception_crop_of_a_jpeg_is_the_crop_of_its_pixels(real_data):
    import tensorflow as tf

    from nasnet_keras.data.image_reader import decode_crop, decode_tensor, image_shape

    path = next((real_data / "coco" / "val2017").glob("*.jpg"))
    encoded = tf.io.read_file(str(path))
    pixels = decode_tensor(encoded).numpy().astype(int)
    assert image_shape(encoded).numpy().tolist() == list(pixels.shape)
    crop = decode_crop(encoded, 20, 31, 150, 160).numpy()
    # Chroma is enlarged across a crop's border in the whole image only.
    assert np.abs(pixels[20:170, 31:191] - crop)[2:-2, 2:-2].max() <= 2


def colors(fast: bool, change: Callable[[int], list]) -> np.ndarray:
    image = np.array([[[0.3, 0.5, 0.6]]], np.float32).repeat(2, axis=0)
    return np.array([np.asarray(distort_color(image, change(n), fast))[0, 0] for n in range(100)])


def test_fast_colors_keep_the_hue_and_the_full_ones_do_not():
    import tensorflow as tf

    def seeds(number):
        return tf.random.split([5, number], 4)

    def hue(pixels):
        return tf.image.rgb_to_hsv(np.clip(pixels, 0, 1)).numpy()[:, 0]

    fast, full = colors(True, seeds), colors(False, seeds)
    # Brightness moves the mean by at most 32/255, then saturation pulls it.
    assert np.ptp(fast.max(axis=1)) > 0.15
    assert np.all(np.abs(fast.max(axis=1) - 0.6) < 32 / 255 + 1e-3)
    assert np.ptp(hue(full)) > 0.3 and np.ptp(hue(fast)) < 0.1


def cifar_places(processing: CifarPreprocessing, ramps: np.ndarray, count: int = 60):
    """Trains on an image that says where its pixels come from, without standardization."""
    return [processing.train_pixels(ramps, 32, [3, seed]).numpy() for seed in range(count)]


def test_cifar_training_crops_flips_and_standardizes(ramps):
    flips, offsets = set(), set()
    for image in cifar_places(CifarPreprocessing(), ramps):
        assert abs(image.mean()) < 1e-5 and abs(image.std() - 1) < 1e-4
        # The blue of the picture is 200, that of the border 0: bring the pixels back.
        scale = 200 / (image[16, 16, 2] - image.min())
        pixels = (image - image.min()) * scale
        assert pixels.max() == pytest.approx(200, abs=0.01)
        offsets.add(int(np.round(pixels[16, 16, 0])))
        flips.add(pixels[16, 20, 1] < pixels[16, 16, 1])
    assert flips == {True, False}
    assert {13, 21} <= offsets <= set(range(13, 22))


def test_cutout_hides_a_square_of_16_that_may_lie_across_the_border(ramps):
    whole = cifar_places(CifarPreprocessing(), ramps)
    cut = cifar_places(CifarPreprocessing(cutout=16), ramps)
    sizes = set()
    for before, after in zip(whole, cut, strict=True):
        hidden = (after == 0).all(axis=-1)
        np.testing.assert_array_equal(after[~hidden], before[~hidden])
        rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
        assert hidden[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        sizes.add(max(len(rows), len(columns)))
        assert 8 <= len(rows) <= 16 and 8 <= len(columns) <= 16
    assert 16 in sizes


def test_cifar_training_takes_images_smaller_than_the_crop():
    image = CifarPreprocessing().train_pixels(np.full((20, 40, 3), 9, np.uint8), 32, [1, 2])
    assert image.shape == (32, 32, 3) and np.ptp(image) > 1


def test_unknown_preprocessing_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'inception'"):
        get_stream_preprocessing("incepton")
