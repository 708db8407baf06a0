"""Batches of a run: the same from any step on, and divided among workers and replicas."""

import itertools

import keras
import numpy as np
import pytest
from PIL import Image

from nasnet_keras.classification import RunOptions, get_recipe, trainer
from nasnet_keras.classification.training_data import open_training_data
from tests.one_block_cells import GENOTYPE

DIGITS = get_recipe("digits")
OUTPUTS = ["logits", "auxiliary_logits"]
FOLDER = DIGITS.override(
    dataset_name="image_folder",
    evaluation_split_name="train",
    genotype=GENOTYPE,
    num_cells=2,
    filters=2,
    stem_filters=4,
    batch_size=4,
    max_number_of_steps=4,
)


def first(batches, count):
    return list(itertools.islice(batches, count))


def test_workers_and_replicas_together_see_the_batches_of_one():
    whole = open_training_data(DIGITS, None, OUTPUTS, batch_size=32).worker_batches(3)
    workers = [
        open_training_data(DIGITS, None, OUTPUTS, 8, workers=2, worker=n, local_replicas=2)
        for n in (0, 1)
    ]
    parts = [worker.worker_batches(3) for worker in workers]
    for images, targets in first(whole, 50):
        # Two batches of each worker a step, one for each of its replicas.
        pieces = [next(part) for part in parts for _ in range(2)]
        np.testing.assert_array_equal(np.concatenate([piece[0] for piece in pieces]), images)
        for name in OUTPUTS:
            labels = np.concatenate([piece[1][name] for piece in pieces])
            np.testing.assert_array_equal(labels, targets[name])


def test_background_class_is_added_before_the_others():
    data = open_training_data(DIGITS.override(labels_offset=-1), None, OUTPUTS, 64)
    assert data.class_names == ("background", *map(str, range(10)))
    _, targets = next(data.worker_batches(0))
    assert targets["logits"].shape == (64, 11) and not targets["logits"][:, 0].any()


def test_more_images_a_step_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="batch_size is 1600, but there are 1437 images"):
        open_training_data(DIGITS, None, OUTPUTS, 400, workers=2, local_replicas=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures in three classes."""
    root = tmp_path_factory.mktemp("folder")
    random = np.random.default_rng(0)
    for label, number in itertools.product("abc", range(4)):
        path = root / "train" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)).save(path)
    return root


@pytest.mark.tensorflow
def test_stream_from_a_step_is_what_it_would_have_been(folder):
    recipe = FOLDER.override(preprocessing_name="inception")
    data = open_training_data(recipe, folder, OUTPUTS, 4)
    assert data.num_examples == 12 and data.class_names == ("a", "b", "c")
    whole = first(data.worker_batches(0).as_numpy_iterator(), 7)
    rest = first(data.worker_batches(4).as_numpy_iterator(), 3)
    for (images, targets), (expected, labels) in zip(rest, whole[4:], strict=True):
        np.testing.assert_array_equal(images, expected)
        assert targets.keys() == set(OUTPUTS)
        np.testing.assert_array_equal(targets["logits"], labels["logits"])


@pytest.mark.tensorflow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend is enough")
def test_run_trains_from_a_stream_and_names_what_it_cannot_read(folder, tmp_path):
    options = RunOptions(dataset_dir=str(folder))
    result = trainer.train(FOLDER, tmp_path / "run", options=options)
    assert result.images == 12 and result.class_names == ("a", "b", "c")
    damaged = folder / "train" / "b" / "2.png"
    damaged.write_bytes(damaged.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"1 of 12 images .*b/2\.png") as caught:
        trainer.train(FOLDER.override(seed=1), tmp_path / "other", options=options)
    assert "\n" not in str(caught.value)
