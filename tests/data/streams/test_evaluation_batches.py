"""Batches to score a network on: each example once, in order, in memory or from disk."""

import numpy as np
import pytest

from nasnet_keras.data import ImageDataset, evaluation_batches, load_dataset
from nasnet_keras.data.sources.labels_offset import offset_labels
from nasnet_keras.data.streams.evaluation_batches import batches_in_memory
from tests.data.record_files import write_slim, write_tfds


def test_digits_come_once_and_in_order_again_and_again():
    batches = evaluation_batches("digits", "test", None, "scale", 8, batch_size=100)
    assert (batches.dataset, batches.split, batches.num_examples, len(batches)) == (
        "digits",
        "test",
        360,
        4,
    )
    assert batches.class_names == tuple("0123456789")
    digits = load_dataset("digits", "test")
    for _ in range(2):
        images, labels = zip(*batches, strict=True)
        assert [len(batch) for batch in images] == [100, 100, 100, 60]
        assert images[0].dtype == np.float32
        np.testing.assert_array_equal(np.concatenate(labels), digits.labels)
        pixels = (np.concatenate(images) + 1) * 127.5
        np.testing.assert_allclose(pixels, digits.images, atol=1e-4)


def test_split_smaller_than_a_batch_is_one_batch():
    ((images, labels),) = evaluation_batches("digits", "test[:3]", None, "whiten", 8)
    assert images.shape == (3, 8, 8, 3) and labels.shape == (3,)
    np.testing.assert_allclose(images.std(axis=(1, 2, 3)), 1, atol=1e-5)


def test_labels_offset_leaves_out_or_adds_the_first_classes():
    images = np.zeros((3, 2, 2, 3), np.uint8)
    dataset = ImageDataset("d", "test", images, np.asarray([1, 2, 1]), ("background", "a", "b"))
    assert offset_labels(dataset, 0) is dataset
    shifted = offset_labels(dataset, 1)
    assert shifted.labels.tolist() == [0, 1, 0] and shifted.class_names == ("a", "b")
    added = offset_labels(shifted, -1)
    assert added.labels.tolist() == [1, 2, 1]
    assert added.class_names == ("background", "a", "b")
    with pytest.raises(ValueError, match="image 0 of test has label -1"):
        offset_labels(dataset, 2)
    with pytest.raises(ValueError, match="labels_offset=3 leaves no class of 3"):
        offset_labels(dataset, 3)
    ((_, labels),) = evaluation_batches("digits", "test[:5]", None, "scale", 8, labels_offset=-1)
    assert (labels == load_dataset("digits", "test[:5]").labels + 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preprocessing_name": "cifar_cutout"}, "in evaluation it is 'cifar'$"),
        ({"preprocessing_name": "whitn"}, "did you mean 'whiten'"),
        ({"dataset_name": "digts"}, "did you mean 'digits'"),
        ({"split": "tset"}, "did you mean 'test'"),
        ({"batch_size": 0}, "batch_size is a whole number of at least 1, got 0"),
        ({"labels_offset": 10}, "leaves no class of 10"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    arguments = {
        "dataset_name": "digits",
        "split": "test",
        "dataset_dir": None,
        "preprocessing_name": "scale",
        "image_size": 8,
    }
    with pytest.raises(ValueError, match=message):
        evaluation_batches(**{**arguments, **change})


def test_dataset_of_ones_own_is_cut_into_batches():
    images = np.arange(5, dtype=np.uint8).repeat(12).reshape(5, 2, 2, 3)
    dataset = ImageDataset("mine", "test", images, np.arange(5), tuple("abcde"))
    batches = batches_in_memory(dataset, "scale", 2, batch_size=2)
    assert [labels.tolist() for _, labels in batches] == [[0, 1], [2, 3], [4]]
    values = [image[0, 0, 0] for images, _ in batches for image in images]
    np.testing.assert_allclose(values, np.arange(5) / 127.5 - 1, atol=1e-6)


@pytest.mark.tensorflow
def test_streams_come_again_and_take_their_own_preprocessings(tmp_path):
    write_tfds(tmp_path, "birds", [3, 4])
    batches = evaluation_batches(
        "birds", "test", tmp_path, "cifar_cutout", 8, batch_size=4, labels_offset=-1
    )
    assert batches.class_names == ("background", *(f"kind {n}" for n in range(10)))
    assert batches.num_examples == 7 and len(batches) == 2
    for _ in range(2):
        assert [labels.tolist() for _, labels in batches] == [[1, 2, 3, 4], [5, 6, 7]]


@pytest.mark.tensorflow
def test_damaged_example_ends_the_evaluation(tmp_path):
    from tests.data.record_files import flat_pngs, write_records

    write_slim(tmp_path, [2], "test")
    images = flat_pngs(2)
    write_records(tmp_path / "test-00000-of-00001", [images[0], images[1][:20]], [0, 1], "slim")
    batches = evaluation_batches("birds", "test", tmp_path, "scale", 8)
    with pytest.raises(ValueError, match="is damaged or cut off"):
        list(batches)


@pytest.mark.tensorflow
def test_cifar_in_slims_files_is_streamed(tmp_path):
    write_slim(tmp_path, [3], "test")
    ((images, labels),) = evaluation_batches("cifar10", "test", tmp_path, "scale", 8)
    assert labels.tolist() == [0, 1, 2]
    np.testing.assert_allclose(images[:, 4, 4, 0], np.arange(3) / 127.5 - 1, atol=1e-6)
