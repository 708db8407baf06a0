"""Pictures of any size go in; boxes in their own pixels, with names, come out."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.data.class_names import read_class_names
from nasnet_keras.detection.inference.picture_files import camera_frame, find_pictures
from nasnet_keras.detection.inference.pictures import fitted_image, read_pixels
from nasnet_keras.detection.inference.predictor import Predictor
from nasnet_keras.detection.inference.trained_detector import (
    TrainedDetector,
    load_trained_detector,
)
from nasnet_keras.training.run_directory import write_config
from tests.detection_network import as_numpy, tiny_batch, tiny_config

ROOT = Path(__file__).parents[3]
NAMES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def model():
    """A detector that is sure of something, without the minutes of training it."""
    keras.utils.set_random_seed(4)
    model = FasterRCNN(tiny_config())
    kernel = model.box_head.logits_dense.kernel
    kernel.assign(kernel * 20.0)
    return model


@pytest.fixture(scope="module")
def run(model, tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    model.save(directory / "model.keras")
    training = TrainingConfig(
        "tiny",
        model.config,
        steps=1,
        keep_aspect=True,
        augmentation=DetectionAugmentation(flip=0.5, scale_range=(0.5, 1)),
    )
    write_config(RunConfig(training, tuple(NAMES), (7, 8, 11)), directory)
    return directory


def test_photographs_are_upright_unless_the_training_did_not_turn_them(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = tmp_path / "phone.png"
    stored = np.random.default_rng(0).integers(0, 256, (50, 90, 3), np.uint8)
    Image.fromarray(stored).save(picture, exif=exif)
    np.testing.assert_array_equal(read_pixels(picture), np.rot90(stored, -1))
    np.testing.assert_array_equal(read_pixels(picture.read_bytes(), upright=False), stored)
    config = json.loads((run / "config.json").read_text())
    assert config["training"].pop("exif_orientation") is True
    for name, value, size in (("before", None, (90, 50)), ("stored", False, (50, 90))):
        other = tmp_path / name
        shutil.copytree(run, other)
        if value is not None:
            config["training"]["exif_orientation"] = value
        (other / "config.json").write_text(json.dumps(config))
        assert Predictor(load_trained_detector(other)).predict(picture).size == size
    told = load_trained_detector(tmp_path / "before", exif_orientation=False)
    assert Predictor(told).predict(picture).size == (50, 90)


def test_boxes_are_in_the_pictures_own_pixels(model):
    image = tiny_batch()["images"][0]
    predictor = Predictor(TrainedDetector(model, NAMES, (7, 8, 11)), min_score=0.1)
    small = predictor.predict(image)
    assert len(small) and (np.diff(small.scores) <= 0).all() and small.scores.min() >= 0.1
    direct = as_numpy(model({"images": image[None].astype("float32")}))
    np.testing.assert_allclose(small.boxes, direct["boxes"][0, : len(small)], atol=1e-3)
    # Every pixel four times as wide and twice as high is the same image for the detector.
    large = predictor.predict(np.repeat(np.repeat(image, 2, 0), 4, 1))
    assert large.size == (128, 256) and large.names == small.names
    np.testing.assert_allclose(large.boxes, small.boxes * [2, 4, 2, 4], atol=1e-2)
    assert {one["name"]: one["category_id"] for one in large.to_list()}.items() <= dict(
        zip(NAMES, (7, 8, 11), strict=True)
    ).items()
    drawn = np.asarray(large.draw(np.zeros((128, 256, 3), np.uint8)))
    assert drawn.shape == (128, 256, 3) and drawn.any()


@pytest.mark.parametrize("part", ["region_head", "box_head"])
def test_an_answer_that_overflows_is_an_error_and_not_an_empty_picture(model, part):
    image = tiny_batch()["images"][0]
    predictor = Predictor(TrainedDetector(model, NAMES, (7, 8, 11)), min_score=0.1)
    head = getattr(model, part)
    bias = (head.logits_conv if part == "region_head" else head.logits_dense).bias
    before = np.array(keras.ops.convert_to_numpy(bias))
    bias.assign(np.full(bias.shape, np.inf))
    try:
        with pytest.raises(ValueError, match="answers with numbers that are not finite"):
            predictor.predict(image)
    finally:
        bias.assign(before)


def test_aspect_is_kept_where_training_kept_it():
    pixels = np.full((30, 60, 3), 200, np.uint8)
    image, size, scale = fitted_image(pixels, (64, 64), keep_aspect=True)
    assert image.shape == (64, 64, 3) and size == (32, 64)
    assert scale == (32 / 30, 64 / 60)
    assert (image[:32] == 200).all() and not image[32:].any()
    image, size, scale = fitted_image(pixels, (64, 64), keep_aspect=False)
    assert size == (64, 64) and scale == (64 / 30, 64 / 60) and (image == 200).all()


def test_a_run_says_how_pictures_reach_its_detector(run, tmp_path):
    served = load_trained_detector(run)
    assert (served.class_names, served.category_ids) == (NAMES, (7, 8, 11))
    assert served.keep_aspect and served.augmentation.scale_range == (0.5, 1)
    assert served.image_size == (64, 64)
    alone = tmp_path / "alone.keras"
    alone.write_bytes((run / "model.keras").read_bytes())
    kept = tmp_path / "checkpoints" / "step-000000001.keras"
    kept.parent.mkdir()
    kept.write_bytes(alone.read_bytes())
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    assert load_trained_detector(kept).class_names == served.class_names
    (tmp_path / "config.json").unlink()
    assert load_trained_detector(alone).class_names == ("0", "1", "2")
    assert not load_trained_detector(alone, evaluation_proposals=5).keep_aspect
    with pytest.raises(ValueError, match="has 3 classes, but there are 2 names given"):
        load_trained_detector(alone, ["a", "b"])
    with pytest.raises(FileNotFoundError):
        load_trained_detector(tmp_path / "nothing")
    (tmp_path / "names.txt").write_text("a\nb\n\na\n")
    with pytest.raises(ValueError, match="names 'a' twice"):
        read_class_names(tmp_path / "names.txt")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(alone)
    with pytest.raises(
        ValueError,
        match="is not a detector: it holds a Sequential|no detector: it holds a Sequential",
    ):
        load_trained_detector(alone)


def test_pictures_are_found_once_and_not_among_the_output(tmp_path):
    for name in ("b.JPG", "a.png", "sub/c.jpeg", "found/a.png", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_pictures([tmp_path / "b.JPG", tmp_path], leave_out=tmp_path / "found")
    assert [path.name for path in found] == ["b.JPG", "a.png", "c.jpeg"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no picture"):
        find_pictures([tmp_path / "empty"])


def test_pictures_below_the_output_are_found(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"")
    (found,) = find_pictures([tmp_path / "photos"], leave_out=tmp_path)
    assert found.name == "a.png"
    with pytest.raises(ValueError, match="is the output directory"):
        find_pictures([tmp_path], leave_out=tmp_path / "photos" / "..")


def test_without_opencv_a_webcam_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ValueError, match="a webcam needs OpenCV: pip install"):
        camera_frame(0)


def predict(run, *arguments, cwd=None):
    """Runs the program as a user does."""
    return subprocess.run(
        [
            sys.executable,
            str(ROOT / "object_detection/predict.py"),
            f"--checkpoint_path={run}",
            "--min_score=0.05",
            *map(str, arguments),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def test_program_goes_on_after_a_corrupt_picture(run, tmp_path):
    pictures = tmp_path / "pictures"
    (pictures / "more").mkdir(parents=True)
    image = Image.fromarray(tiny_batch()["images"][0])
    image.save(pictures / "one.png")
    image.resize((90, 50)).save(pictures / "more" / "one.png")
    whole = (pictures / "one.png").read_bytes()
    (pictures / "half.png").write_bytes(whole[: len(whole) // 2])
    done = predict(run, f"--output_dir={tmp_path / 'found'}", pictures)
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "half.png: not a readable image" in line
    entries = json.loads((tmp_path / "found/detections.json").read_text())
    by_name = {Path(entry["file"]).relative_to(pictures).as_posix(): entry for entry in entries}
    assert set(by_name) == {"half.png", "one.png", "more/one.png"}
    assert "error" in by_name["half.png"]
    assert (by_name["more/one.png"]["height"], by_name["more/one.png"]["width"]) == (50, 90)
    drawn = {by_name[name]["picture"] for name in ("one.png", "more/one.png")}
    assert drawn == {"one.png", "one-2.png"}
    assert all((tmp_path / "found" / name).is_file() for name in drawn)
    with (tmp_path / "found/detections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [one for entry in entries for one in entry.get("detections", [])]
    assert listed and [float(row["score"]) for row in rows] == [one["score"] for one in listed]
    assert [float(row["left"]) for row in rows] == [one["box"][1] for one in listed]


def test_drawings_never_replace_the_pictures_given(run, tmp_path):
    image = Image.fromarray(tiny_batch()["images"][0])
    (tmp_path / "more").mkdir()
    given = [tmp_path / name for name in ("one.png", "one-2.png", "more/two.png")]
    for path in given:
        image.save(path)
    (tmp_path / "link.png").symlink_to(tmp_path / "more" / "two.png")
    (tmp_path / "two.png").write_bytes(b"of an earlier run")
    before = [path.read_bytes() for path in given]
    paths = [tmp_path / "one.png", "one-2.png", "more", "link.png"]
    done = predict(run, "--output_dir=.", *paths, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.read_bytes() for path in given] == before
    assert (tmp_path / "link.png").is_symlink()
    entries = json.loads((tmp_path / "detections.json").read_text())
    drawn = [entry["picture"] for entry in entries]
    assert drawn == ["one-3.png", "one-2-2.png", "two.png", "link-2.png"]
    assert all(Image.open(tmp_path / name).size == image.size for name in drawn)
