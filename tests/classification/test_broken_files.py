"""Image files that break: refused before training, left out, and found in the midst of a run."""

import json

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from nasnet_keras.classification import RunOptions, get_recipe, trainer
from nasnet_keras.data.check.unreadable import UnreadableImagesError
from nasnet_keras.training.checkpoint import read_training_state
from tests.one_block_cells import GENOTYPE

pytestmark = pytest.mark.tensorflow

RECIPE = get_recipe("digits").override(
    dataset_name="image_folder",
    genotype=GENOTYPE,
    num_cells=2,
    filters=2,
    stem_filters=4,
    drop_path_keep_probability=0.7,
    dropout=0.5,
    batch_size=2,
    max_number_of_steps=12,
)
QUIET = Console(quiet=True)


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures of two classes to train on, six steps an epoch, and four to test on."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for number in range(count):
            path = tmp_path / "data" / split / "ab"[number % 2] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    return tmp_path / "data"


def train(folder, directory, **options):
    options = RunOptions(dataset_dir=str(folder), tensorboard=False, **options)
    return trainer.train(RECIPE, directory, QUIET, options)


def weights(directory):
    model = keras.models.load_model(directory / "model.keras", compile=False)
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


def cut_off(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return content


def test_run_that_meets_a_broken_file_is_saved_and_goes_on_when_it_is_mended(folder, tmp_path):
    train(folder, tmp_path / "whole")
    path = folder / "train" / "b" / "7.jpg"
    content = cut_off(path)
    with pytest.raises(ValueError, match=r"7\.jpg is damaged or cut off") as caught:
        train(folder, tmp_path / "broken", check_secs=0.0)
    text = str(caught.value)
    assert "\n" not in text
    checkpoint = tmp_path / "broken" / "model.keras"
    if checkpoint.exists():
        step = read_training_state(checkpoint).step
        assert f"model.keras has {step} steps; the same command goes on" in text and step > 0
    else:
        assert "no step was done yet" in text
    path.write_bytes(content)
    train(folder, tmp_path / "broken")
    for ours, expected in zip(
        weights(tmp_path / "broken"), weights(tmp_path / "whole"), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def test_broken_file_in_an_evaluation_ends_the_run_after_its_epoch(folder, tmp_path):
    path = folder / "test" / "a" / "2.jpg"
    content = cut_off(path)
    with pytest.raises(ValueError, match=r"2\.jpg is damaged or cut off.*has 6 steps"):
        train(folder, tmp_path / "run", check_secs=0.0, evaluate_every_epochs=1)
    path.write_bytes(content)
    assert train(folder, tmp_path / "run", evaluate_every_epochs=1).images == 4
    log = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert ["evaluation_accuracy" in json.loads(line) for line in log] == [False, True]


def test_all_broken_files_are_told_before_training_or_left_out(folder, tmp_path):
    broken = [folder / "test" / "a" / "2.jpg", folder / "train" / "b" / "7.jpg"]
    for path in broken:
        cut_off(path)
    directory = tmp_path / "run"
    with pytest.raises(UnreadableImagesError) as caught:
        train(folder, directory)
    assert [line.split(": ")[0] for line in caught.value.problems] == list(map(str, broken))
    assert not directory.exists()
    assert train(folder, directory, drop_invalid=True).images == 3
    assert json.loads((directory / "config.json").read_text())["images"] == 11


def test_run_goes_on_without_a_file_that_broke(folder, tmp_path):
    broken = folder / "train" / "b" / "7.jpg"
    cut_off(broken)
    with pytest.raises(ValueError, match="damaged or cut off"):
        train(folder, tmp_path / "run", check_secs=0.0)
    # As if it had broken after the run began.
    assert train(folder, tmp_path / "run", drop_invalid=True).images == 4
    log = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(log[-1])["step"] in (10, 12)
