"""Streams of batches: which examples, in which order, again after a resume, and what is damaged."""

import logging as python_logging

import numpy as np
import pytest

from nasnet_keras.data.streams import pipeline
from nasnet_keras.data.streams.pipeline import image_batches
from tests.data.record_files import (
    flat_pngs,
    write_image_folder,
    write_records,
    write_slim,
    write_tfds,
)

pytestmark = pytest.mark.tensorflow


@pytest.fixture(params=["tensorflow", "python"], autouse=True)
def reader(request, monkeypatch) -> str:
    """Every test is of both readers."""
    monkeypatch.setattr(pipeline, "reader_here", lambda wanted=None: wanted or request.param)
    return request.param


def stream(folder, training=True, batch_size=4, name="birds", preprocessing="scale", **kwargs):
    split = kwargs.pop("split", "train")
    return image_batches(
        name, split, folder, preprocessing, 8, batch_size, training=training, **kwargs
    )


def numbers(batch) -> list[int]:
    """Returns which of the flat images are in a batch."""
    red, green = np.round((batch[0][:, 4, 4, :2] + 1) * 127.5).astype(int).T
    return (red + 250 * green).tolist()


def take(batches, count):
    iterator = iter(batches)
    return [next(iterator) for _ in range(count)]


@pytest.fixture
def slim(tmp_path):
    write_slim(tmp_path, [6, 7, 8])
    return tmp_path


def test_evaluation_reads_each_example_once_in_order(slim):
    batches = stream(slim, training=False)
    assert (batches.num_examples, batches.steps_per_epoch) == (21, 6)
    assert batches.class_names == tuple(f"class {n}" for n in range(5))
    results = list(batches)
    assert [n for batch in results for n in numbers(batch)] == list(range(21))
    assert [n for batch in results for n in batch[1]] == [n % 5 for n in range(21)]
    assert results[0][0].dtype == np.float32 and results[0][1].dtype == np.int32
    assert numbers(next(iter(stream(slim, training=False, first_step=2)))) == [8, 9, 10, 11]


def test_training_gives_whole_batches_shuffled_anew_each_epoch(slim):
    batches = stream(slim)
    assert batches.steps_per_epoch == 5
    seen = np.array([numbers(batch) for batch in take(batches, 15)]).reshape(3, 20)
    for epoch in seen:
        assert len(set(epoch)) == 20
    assert len({tuple(epoch) for epoch in seen}) == 3
    for batch in take(batches, 5):
        assert batch[1].tolist() == [n % 5 for n in numbers(batch)]


@pytest.mark.parametrize("kind", ["records", "folder"])
@pytest.mark.parametrize("preprocessing", ["inception", "cifar_color"])
def test_batch_of_a_step_does_not_depend_on_where_the_run_began(tmp_path, kind, preprocessing):
    if kind == "records":
        write_slim(tmp_path, [6, 7, 8])
    else:
        write_image_folder(tmp_path)
    name = "birds" if kind == "records" else "image_folder"
    arguments = {"name": name, "preprocessing": preprocessing, "seed": 7}
    whole = take(stream(tmp_path, **arguments), 12)
    for first_step in (1, 5, 7):
        resumed = take(stream(tmp_path, first_step=first_step, **arguments), 3)
        for (images, labels), expected in zip(resumed, whole[first_step:], strict=False):
            np.testing.assert_array_equal(images, expected[0])
            np.testing.assert_array_equal(labels, expected[1])
    other = take(stream(tmp_path, **(arguments | {"seed": 8})), 3)
    assert any(
        not np.array_equal(batch[0], expected[0])
        for batch, expected in zip(other, whole, strict=False)
    )
    assert [batch[1].tolist() for batch in other] != [batch[1].tolist() for batch in whole[:3]]


def test_order_does_not_depend_on_the_global_seed(slim):
    import tensorflow as tf

    seen = []
    for seed in (1, 2):
        tf.random.set_seed(seed)
        seen.append([numbers(batch) for batch in take(stream(slim, shuffle_buffer=8), 10)])
    assert seen[0] == seen[1]
    for epoch in np.array(seen[0]).reshape(2, 20):
        assert len(set(epoch)) == 20


def test_random_changes_are_others_each_epoch(tmp_path):
    images = flat_pngs(1)
    write_slim(tmp_path, [1])
    write_records(tmp_path / "train-00000-of-00001", images, [1], "slim")
    batches = take(stream(tmp_path, batch_size=1, preprocessing="inception"), 4)
    assert len({batch[0].tobytes() for batch in batches}) > 1


def test_hosts_read_different_parts_and_different_random_numbers(slim):
    seen = [
        {n for batch in take(stream(slim, shard=(host, 2)), 2) for n in numbers(batch)}
        for host in (0, 1)
    ]
    assert not seen[0] & seen[1] and len(seen[0]) == len(seen[1]) == 8
    assert [stream(slim, shard=(host, 2)).steps_per_epoch for host in (0, 1)] == [2, 2]
    evaluated = [
        n for host in (0, 1, 2) for b in stream(slim, False, shard=(host, 3)) for n in numbers(b)
    ]
    assert evaluated == list(range(21))


def test_tfds_dataset_and_part_of_a_split(tmp_path):
    write_tfds(tmp_path, "flowers", [3, 4])
    batches = stream(tmp_path, training=False, name="flowers", split="test[2:6]")
    assert [numbers(batch) for batch in batches] == [[2, 3, 4, 5]]
    assert batches.class_names[9] == "kind 9"


def test_labels_offset_adds_or_removes_the_background(slim):
    added = stream(slim, training=False, labels_offset=-1)
    assert added.class_names[:2] == ("background", "class 0") and len(added.class_names) == 6
    assert next(iter(added))[1].tolist() == [1, 2, 3, 4]
    removed = stream(slim, training=False, labels_offset=1)
    assert removed.class_names[0] == "class 1"
    with pytest.raises(ValueError, match="record 0 has label -1 after labels_offset=1, but there"):
        list(removed)


@pytest.mark.parametrize("training", [True, False])
def test_label_out_of_range_names_the_example(tmp_path, training):
    write_slim(tmp_path, [4, 4])
    path = tmp_path / "train-00001-of-00002"
    write_records(path, flat_pngs(4), [0, 1, 5, 1], "slim")
    with pytest.raises(ValueError, match="00001-of-00002, record 2 has label 5, but there are 5"):
        take(stream(tmp_path, training), 2)


def damage(folder, count, bad, cut=False):
    """Writes a training split with images that cannot be read."""
    write_slim(folder, [count])
    images = flat_pngs(count)
    for number in bad:
        images[number] = images[number][:20]
    path = folder / "train-00000-of-00001"
    write_records(path, images, [n % 5 for n in range(count)], "slim")
    if cut:
        path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize("cut", [False, True])
def test_training_skips_counts_and_names_what_cannot_be_read(tmp_path, cut, caplog):
    bad = 1099 if cut else 17
    damage(tmp_path, 1100, [] if cut else [bad], cut)
    batches = stream(tmp_path, batch_size=100)
    with caplog.at_level(python_logging.WARNING, logger="absl"):
        results = take(batches, 22)
    for images, labels in results:
        shown = numbers((images, labels))
        assert bad not in shown and labels.tolist() == [n % 5 for n in shown]
    # In its place is another of the batch.
    first = [n for batch in results[:11] for n in numbers(batch)]
    assert len(first) == 1100 and set(first) == set(range(1100)) - {bad}
    assert batches.problems.skipped == {f"{tmp_path / 'train-00000-of-00001'}, record {bad}"}
    assert f"record {bad} is damaged or cut off; skipped (1 so far)" in caplog.text
    assert caplog.text.count("damaged") == 1


def test_more_than_one_in_a_thousand_is_an_error(tmp_path):
    damage(tmp_path, 1100, [17, 500])
    with pytest.raises(ValueError, match="2 of 1100 examples cannot be read, and at most 0.1%"):
        take(stream(tmp_path, batch_size=100), 11)


@pytest.mark.parametrize("cut", [False, True])
def test_evaluation_ends_at_what_cannot_be_read(tmp_path, cut):
    damage(tmp_path, 20, [] if cut else [9], cut)
    expected = f"train-00000-of-00001, record {19 if cut else 9} is damaged or cut off"
    batches = stream(tmp_path, training=False)
    with pytest.raises(ValueError, match=expected) as caught:
        list(batches)
    assert "\n" not in str(caught.value) and batches.problems.error is caught.value


def test_damaged_image_file_is_named(tmp_path):
    write_image_folder(tmp_path)
    path = next((tmp_path / "validation" / "dog").iterdir())
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=f"{path.name} is damaged or cut off"):
        list(stream(tmp_path, False, name="image_folder", split="validation"))


def test_bad_arguments_are_refused_before_any_work(slim):
    for arguments, message in (
        ({"batch_size": 0}, "batch_size is a whole number of at least 1, got 0"),
        ({"shard": (2, 2)}, "index of the host"),
        ({"preprocessing": "inceptoin"}, "did you mean 'inception'"),
        ({"batch_size": 22}, "batch_size is 22, but there are 21 images"),
        ({"labels_offset": 5}, "leaves no class of 5"),
        ({"split": "trian"}, "did you mean 'train'"),
    ):
        with pytest.raises(ValueError, match=message):
            stream(slim, **arguments)


def test_keras_trains_on_a_stream(slim, reader):
    import keras

    if reader == "python":
        pytest.skip("the trainer makes targets of its batches")
    batches = stream(slim)
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    network.add(keras.layers.Dense(5))
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = network.fit(batches.batches, steps_per_epoch=5, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_real_imagenet_streams_alike_twice(real_data):
    def read(training):
        arguments = ("imagenet2012", "validation", real_data / "tfds", "inception", 32, 16)
        return take(image_batches(*arguments, training=training, labels_offset=-1), 3)

    for training in (True, False):
        for first, again in zip(read(training), read(training), strict=True):
            np.testing.assert_array_equal(first[0], again[0])
            assert first[0].shape == (16, 32, 32, 3) and np.abs(first[0]).max() <= 1
            assert first[1].tolist() == again[1].tolist() and first[1].min() >= 1


def test_both_readers_evaluate_the_same_images(real_data, reader):
    arguments = ("imagenet2012", "validation", real_data / "tfds", "inception", 64, 8)
    images, labels = next(iter(image_batches(*arguments, training=False, labels_offset=-1)))
    other = {"tensorflow": "python", "python": "tensorflow"}[reader]
    again = image_batches(*arguments, training=False, labels_offset=-1, read_by=other)
    same, same_labels = next(iter(again))
    np.testing.assert_array_equal(labels, same_labels)
    # TensorFlow's inverse DCT rounds otherwise than Pillow's, about a level of 255 on average.
    difference = np.abs(images - same) * 127.5
    assert difference.mean() < 2 and difference.max() < 25
