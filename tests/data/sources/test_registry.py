"""Datasets by name: where they are found, what is in them, and what is said of what is missing."""

from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.data import load_dataset
from nasnet_keras.data.sources.cifar import pack
from nasnet_keras.data.sources.registry import check_dataset, find_examples, list_datasets
from nasnet_keras.data.sources.split import parse_split
from nasnet_keras.data.sources.tfds_files import TfdsFiles
from nasnet_keras.data.sources.tfrecord import count_records, parse_example, read_records
from tests.data.record_files import write_image_folder, write_slim, write_tfds

tensorflow = pytest.mark.tensorflow


@pytest.mark.parametrize(
    "split, expected",
    [
        ("train", (0, 50)),
        ("train[:45]", (0, 45)),
        ("train[45:]", (45, 50)),
        ("train[10%:90%]", (5, 45)),
        ("train[20:999]", (20, 50)),
    ],
)
def test_part_of_a_split_is_the_range_it_says(split, expected):
    assert parse_split(split, "x", ["train"]).range(50) == expected


@pytest.mark.parametrize("there", ["val", "valid", "validation"])
@pytest.mark.parametrize("typed", ["val", "valid", "validation"])
def test_held_out_splits_have_three_names(there, typed):
    assert parse_split(f"{typed}[:5]", "x", ["train", there]) == (there, None, "5")


def test_name_as_typed_comes_first():
    assert parse_split("valid", "x", ["val", "valid"]).name == "valid"
    assert parse_split("training", "x", ["train"]).name == "train"
    assert parse_split("test", "x", ["Train", "Test"]).name == "Test"


def test_bad_parts_of_splits_are_refused():
    with pytest.raises(ValueError, match=r"train\[60:\] has no example: train has 50"):
        parse_split("train[60:]", "x", ["train"]).range(50)
    with pytest.raises(ValueError, match=r"'train\[x:\]' is not like"):
        parse_split("train[x:]", "x", ["train"])


@tensorflow
def test_tfds_files_are_read_with_and_without_tensorflow(tmp_path):
    import tensorflow as tf

    write_tfds(tmp_path, "cifar10", [3, 4])
    dataset = load_dataset("cifar10", "train", tmp_path)
    assert dataset.class_names == tuple(f"kind {n}" for n in range(10))
    assert dataset.labels.tolist() == list(range(7))
    assert dataset.images[:, 5, 5, 0].tolist() == list(range(7))
    part = load_dataset("cifar10", "test[2:5]", tmp_path)
    assert part.images[:, 0, 0, 0].tolist() == [2, 3, 4]
    path = next(tmp_path.rglob("*train*00001-of*"))
    assert count_records(path) == 4
    ours = [record for _, record in read_records(path)]
    assert ours == [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert parse_example(ours[0])["label"] == [3] and parse_example(ours[0])["name"] == [b"x"]


@tensorflow
def test_negative_labels_are_read_as_such():
    import tensorflow as tf

    values = [-1, 5, 1 << 40]
    feature = {"label": tf.train.Feature(int64_list=tf.train.Int64List(value=values))}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    assert parse_example(example.SerializeToString()) == {"label": values}
    with pytest.raises(ValueError, match="not a tf.train.Example"):
        parse_example(example.SerializeToString()[:-2])


@tensorflow
def test_newest_version_is_read_unless_one_is_named(tmp_path):
    write_tfds(tmp_path, "flowers", [2], "1.9.0")
    newest = write_tfds(tmp_path, "flowers", [3], "1.10.0")
    assert all(TfdsFiles.find(root, "flowers").root == newest for root in (tmp_path, newest))
    assert len(find_examples("flowers", "train", tmp_path)) == 3
    assert len(find_examples("flowers:1.9.0", "train", tmp_path)) == 2
    assert TfdsFiles.find(tmp_path, "flowers:2.0.0") is None


@tensorflow
def test_packed_file_holds_the_same_images(tmp_path):
    folder = write_tfds(tmp_path, "cifar10", [3, 4])
    expected = load_dataset("cifar10", "test", tmp_path)
    (tmp_path / "packed").mkdir()
    pack("cifar10", folder, tmp_path / "packed" / "cifar10.npz")
    dataset = load_dataset("cifar10", "test", tmp_path / "packed")
    np.testing.assert_array_equal(dataset.images, expected.images)
    np.testing.assert_array_equal(dataset.labels, expected.labels)
    assert dataset.class_names == expected.class_names


@tensorflow
def test_damaged_example_in_memory_is_named(tmp_path):
    path = next(write_tfds(tmp_path, "cifar10", [3]).glob("*train*"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"IHDR", b"XXXX", 2).replace(b"XXXX", b"IHDR", 1))
    with pytest.raises(ValueError, match="record 1 is damaged"):
        load_dataset("cifar10", "train", tmp_path)
    path.write_bytes(content[:-20])
    with pytest.raises(ValueError, match="ends within record 2"):
        load_dataset("cifar10", "train", tmp_path)


@tensorflow
@pytest.mark.parametrize("inside", ["", "birds"])
def test_slim_files_are_found_and_counted(tmp_path, inside):
    write_slim(tmp_path / inside, [3, 0, 5])
    files = find_examples("birds", "train", tmp_path)
    assert len(files) == 8
    next(tmp_path.rglob("train-00002*")).unlink()
    with pytest.raises(FileNotFoundError, match="has 2 of the 3 files of train"):
        find_examples("birds", "train", tmp_path)


@tensorflow
def test_shards_of_the_hosts_are_the_whole_once(tmp_path):
    write_slim(tmp_path, [3, 4, 6])
    files = find_examples("birds", "train", tmp_path)
    seen = [
        (file.path, file.first + n)
        for host in range(5)
        for file in files.shard(host, 5).files
        for n in range(file.count)
    ]
    assert seen == [(file.path, n) for file in files.files for n in range(file.count)]


@tensorflow
def test_image_folder_has_the_classes_of_its_folders(tmp_path):
    write_image_folder(tmp_path)
    files = find_examples("image_folder", "train", tmp_path)
    assert files.class_names == ("cat", "dog") and len(files) == 12
    for path, label in zip(files.paths, files.labels, strict=True):
        assert Path(path).parent.name == files.class_names[label]
    assert files.paths == find_examples("image_folder", "train", tmp_path).paths
    assert 0 < sum(files.labels[:6]) < 6  # Half of it has both classes.


@pytest.mark.parametrize(
    "name, expected",
    [
        ("imagenet2012", "ILSVRC2012_img_train.tar"),
        ("tf_flowers", "tfds build tf_flowers"),
        ("stanford_dogs", "tfds build stanford_dogs"),
    ],
)
def test_missing_dataset_says_what_to_do_on_one_line(tmp_path, name, expected):
    with pytest.raises(FileNotFoundError, match=expected) as caught:
        check_dataset(name, "train", tmp_path)
    assert "\n" not in str(caught.value)


def test_unknown_dataset_and_directory_are_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown dataset 'cifar_10'; did you mean 'cifar10'"):
        check_dataset("cifar_10", "train", tmp_path)
    with pytest.raises(FileNotFoundError, match="say where with --dataset_dir"):
        check_dataset("cifar10", "train")
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        check_dataset("cifar10", "train", tmp_path / "nothing")
    assert "cifar100" in list_datasets()


def test_real_cifar10_has_its_ten_classes(real_data):
    dataset = load_dataset("cifar10", "test", real_data / "tfds")
    assert dataset.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(dataset.labels).tolist() == [1000] * 10
    assert dataset.class_names[3] == "cat"
    with pytest.raises(ValueError, match="unknown split of cifar10 'validation'"):
        check_dataset("cifar10", "validation", real_data / "tfds")
