"""The toy dataset: exact boxes, held-out parts, the same bytes again."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.data import load_dataset
from nasnet_keras.detection.data import toy_dataset
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.toy_dataset import make_toy_image, write_toy_dataset

ROOT = Path(__file__).parents[3]


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_nothing_is_left_where_writing_fails(tmp_path):
    def fail(split, done, total):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_toy_dataset(tmp_path / "toy", 2, 1, on_progress=fail)
    assert not any(tmp_path.iterdir())


def test_same_seed_gives_the_same_bytes_as_a_coco_directory(tmp_path):
    write_toy_dataset(tmp_path / "a", 12, 4, seed=3)
    program = ["object_detection/make_toy_dataset.py", f"--output_dir={tmp_path / 'b'}"]
    options = ["--train_images=12", "--val_images=4", "--seed=3"]
    subprocess.run([sys.executable, *program, *options], cwd=ROOT, check=True)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    write_toy_dataset(tmp_path / "b", 15, 4, seed=3)
    longer = files(tmp_path / "b")
    first = {path for path in files(tmp_path / "a") if path.suffix == ".jpg"}
    assert all(longer[path] == files(tmp_path / "a")[path] for path in first)
    write_toy_dataset(tmp_path / "b", 12, 4, seed=4)
    assert files(tmp_path / "a") != files(tmp_path / "b")
    for split, count in (("train", 12), ("val", 4)):
        index = load_detection_index(tmp_path / "a", split)
        assert len(index) == count and index.class_names == tuple("0123456789")
        assert (index.box_counts() >= 1).all() and (index.box_counts() <= 6).all()
        assert index.sizes.min() >= 128 and index.sizes.max() <= 192


def test_boxes_are_the_extent_of_the_ink(monkeypatch):
    from sklearn import datasets

    # On a black ground whatever is not black is ink; any colour will do.
    monkeypatch.setattr(toy_dataset, "_color_on", lambda *_: np.array([255.0, 255, 255]))
    black = lambda _, height, width, random: np.zeros((height, width, 3))  # noqa: E731
    monkeypatch.setattr(toy_dataset, "_background", black)
    digits = load_dataset("digits", "train")
    for number in range(20):
        image, boxes, labels = make_toy_image([], digits, np.random.default_rng(number))
        rest = image.copy()
        for top, left, bottom, right in boxes:
            ink = image[top:bottom, left:right].max(-1) > 0
            assert ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any()
            rest[top:bottom, left:right] = 0
        assert rest.max() == 0 and len(labels) == len(boxes)
    assert len(datasets.load_digits().target) == 1797


def test_validation_shares_neither_digits_nor_columns_of_the_photographs():
    (train_digits, train_columns), (val_digits, val_columns) = toy_dataset._PARTS.values()
    seen = {image.tobytes() for image in load_dataset("digits", train_digits).images}
    held_out = load_dataset("digits", val_digits).images
    assert len(held_out) == 360
    assert not seen & {image.tobytes() for image in held_out}
    assert train_columns[1] < val_columns[0]
    train, val = toy_dataset._photographs(train_columns), toy_dataset._photographs(val_columns)
    assert [part.size for part in train] == [(422, 427)] * 2
    assert [part.size for part in val] == [(205, 427)] * 2


def test_digits_stand_out_from_what_is_behind_them():
    luma = toy_dataset._LUMA
    random = np.random.default_rng(0)
    for grey in (0, 127, 255):
        region, ink = np.full((4, 4, 3), float(grey)), np.ones((4, 4))
        for _ in range(20):
            assert abs(toy_dataset._color_on(region, ink, random) @ luma - grey) >= 80


def test_impossible_numbers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="val_images is at least 1, got 0"):
        write_toy_dataset(tmp_path, 1, 0)
    with pytest.raises(ValueError, match="seed is at least 0"):
        write_toy_dataset(tmp_path, 1, 1, seed=-1)
    program = [sys.executable, "object_detection/make_toy_dataset.py"]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2 and "--output_dir is missing" in result.stderr


def write_other(root):
    """Writes the training split of another dataset in COCO's layout."""
    (root / "annotations").mkdir(parents=True)
    (root / "train2017").mkdir()
    (root / "train2017" / "000000000001.jpg").write_bytes(b"a picture")
    content = {"info": {"description": "COCO 2017, not Digits on photographs"}, "images": []}
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ([], "instances_train2017.json"),
        (["train2017/000000000001.jpg"], "instances_train2017.json"),
        (["annotations/instances_train2017.json"], "train2017"),
    ],
)
def test_splits_of_another_dataset_are_refused(tmp_path, gone, named):
    write_other(tmp_path)
    for name in gone:
        (tmp_path / name).unlink()
    before = files(tmp_path)
    with pytest.raises(ValueError, match=f"{named} is of another dataset, not 'Digits on"):
        write_toy_dataset(tmp_path, 1, 1)
    assert files(tmp_path) == before and not (tmp_path / "val2017").exists()


def test_program_refuses_another_dataset_in_one_line(tmp_path):
    write_other(tmp_path)
    program = [sys.executable, "object_detection/make_toy_dataset.py", f"--output_dir={tmp_path}"]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2 and "is not replaced" in result.stderr
    assert result.stderr.count("\n") == 1


def test_interrupted_runs_are_done_again(tmp_path, monkeypatch):
    write_toy_dataset(tmp_path / "whole", 2, 1)
    write_toy_dataset(tmp_path / "killed", 3, 1)
    dumps = json.dumps

    def killed(*_):
        raise KeyboardInterrupt

    # At this point the images are there and the annotations are not.
    monkeypatch.setattr(toy_dataset.json, "dumps", killed)
    with pytest.raises(KeyboardInterrupt):
        write_toy_dataset(tmp_path / "killed", 2, 1)
    assert not (tmp_path / "killed" / "annotations" / "instances_train2017.json").exists()
    monkeypatch.setattr(toy_dataset.json, "dumps", dumps)
    write_toy_dataset(tmp_path / "killed", 2, 1)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
