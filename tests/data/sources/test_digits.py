"""The digits: which scans, in which split, and how they reach a network."""

import numpy as np
import pytest

from nasnet_keras.data import ImageDataset, load_dataset
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.streams.batches import shuffled_batches


def test_digits_are_all_the_scans_split_four_to_one_and_stratified():
    train, test = load_dataset("digits", "train"), load_dataset("digits", "test")
    assert (len(train), len(test)) == (1437, 360)
    assert train.class_names == tuple("0123456789")
    share = np.bincount(test.labels) / np.bincount(np.concatenate([train.labels, test.labels]))
    assert np.all(np.abs(share - 0.2) < 0.01)


def test_digits_are_the_same_each_time_and_the_splits_share_no_scan():
    again = load_dataset("digits", "test")
    test = load_dataset("digits", "test")
    np.testing.assert_array_equal(test.images, again.images)
    seen = {(image.tobytes(), label) for image, label in zip(test.images, test.labels, strict=True)}
    train = load_dataset("digits", "train")
    assert not any(
        (image.tobytes(), label) in seen
        for image, label in zip(train.images, train.labels, strict=True)
    )


def test_digits_pixels_are_the_scans_brought_to_255():
    from sklearn.datasets import load_digits

    scans = load_digits()
    dataset = load_dataset("digits", "train")
    assert dataset.images.dtype == np.uint8 and dataset.images.shape[1:] == (8, 8, 3)
    assert dataset.images.max() == 255
    originals = {np.round(scan * 255 / 16).astype(np.uint8).tobytes() for scan in scans.images}
    assert dataset.images[0, :, :, 0].tobytes() in originals
    assert np.ptp(dataset.images, axis=3).max() == 0


def test_unknown_dataset_suggests_the_nearest():
    with pytest.raises(ValueError, match="unknown dataset 'digit'; did you mean 'digits'"):
        load_dataset("digit", "train")


def test_dataset_names_the_image_whose_label_is_out_of_range():
    images = np.zeros((3, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="image 1 of train has label 2, but there are 2 classes"):
        ImageDataset("two", "train", images, np.array([0, 2, 1]), ("a", "b"))


def test_scale_brings_pixels_to_plus_minus_one():
    images = np.array([[0, 51], [127.5, 255]], np.float32).reshape(1, 2, 2, 1).repeat(3, axis=3)
    result = np.asarray(preprocess(images, "scale", 2))
    np.testing.assert_allclose(result[0, :, :, 0], [[-1, -0.6], [0, 1]], atol=1e-6)


def test_whiten_equals_the_original_codes_cifar_evaluation():
    from pathlib import Path

    golden = np.load(Path(__file__).parents[2] / "golden" / "slim_training.npz")
    names = sorted(name for name in golden.files if name.startswith("cifar_eval|"))
    pairs = [(name, name[: -len("in")] + "out") for name in names if name.endswith("|in")]
    assert pairs
    for given, expected in pairs:
        result = np.asarray(preprocess(golden[given][np.newaxis], "whiten", golden[given].shape[0]))
        np.testing.assert_allclose(result[0], golden[expected], atol=1e-5)


def test_whiten_of_a_flat_image_is_zero():
    result = np.asarray(preprocess(np.full((1, 8, 8, 3), 77, np.uint8), "whiten", 8))
    np.testing.assert_array_equal(result, 0)


def test_preprocessing_is_known_by_name():
    with pytest.raises(ValueError, match="unknown preprocessing 'scaled'; did you mean 'scale'"):
        preprocess(np.zeros((1, 8, 8, 3)), "scaled", 8)


def read(steps, first_step=0):
    batches = shuffled_batches(np.arange(10), {"y": np.arange(10) * 2}, 3, 1, first_step)
    return [next(batches) for _ in range(steps)]


def test_batches_are_whole_and_shuffled_anew_each_epoch():
    inputs = np.array([batch[0] for batch in read(steps=6)]).reshape(2, 9)
    assert len(set(inputs[0])) == len(set(inputs[1])) == 9
    assert inputs[0].tolist() != inputs[1].tolist()


def test_batches_keep_inputs_and_targets_together():
    for inputs, targets in read(steps=4):
        np.testing.assert_array_equal(targets["y"], inputs * 2)


def test_batch_of_a_step_does_not_depend_on_where_the_run_began():
    whole = read(steps=9)
    for first_step in (1, 3, 5):
        for resumed, expected in zip(read(4, first_step), whole[first_step:], strict=False):
            np.testing.assert_array_equal(resumed[0], expected[0])


def test_batches_refuse_more_than_there_is():
    with pytest.raises(ValueError, match="batch_size is 11, but there are 10 images"):
        next(shuffled_batches(np.arange(10), {}, 11, 0))
