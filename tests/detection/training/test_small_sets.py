"""Small sets as people download them train and are scored without renaming a file."""

import json

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")

from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.detection.training import trainer
from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.training.distribution import Distribution
from tests.detection.data.layouts import CELLS, coco, write_bccd, write_picture, write_roboflow
from tests.detection_network import tiny_config

CONFIG = TrainingConfig(
    "tiny", tiny_config(classes=10), steps=2, batch_size=2, evaluate_every_epochs=0
)


@pytest.mark.parametrize("write", [write_bccd, write_roboflow])
def test_small_set_is_trained_on_and_scored(write, tmp_path, capsys):
    write(tmp_path / "data")
    run = tmp_path / "run"
    config = CONFIG.override(anchor_scales=(0.25, 0.5))
    metrics = trainer.train(config, tmp_path / "data", run, Console(width=200))
    assert metrics.images == 3 and tuple(metrics.per_class) == CELLS
    assert all(values["AP"] >= 0 for values in metrics.per_class.values())
    said = capsys.readouterr().out
    counts = "'Platelets' 2, 'RBC' 6, 'WBC' 4"
    assert f"train: 6 images, 12 objects of 3 classes ({counts}); no box is left out or cut" in said
    assert ("only groups other categories" in said) == (write is write_roboflow)
    # The run remembers its classes, whatever is in the split that is predicted or scored.
    assert load_trained_detector(run).class_names == CELLS
    saved = json.loads((run / "config.json").read_text())
    assert saved["category_ids"] == [1, 2, 3] and saved["proportional_parts"]


class Built(Exception):
    """The network would have been built."""


@pytest.fixture
def nothing_built(monkeypatch):
    def build(*_, **__):
        raise Built

    monkeypatch.setattr(trainer, "FasterRCNN", build)


def test_what_hurts_is_said_before_the_network_is_built(nothing_built, tmp_path, capsys):
    write_roboflow(tmp_path / "data")
    config = CONFIG.override(detections_per_class=1, detections=2, warmup_steps=1, steps=2)
    with pytest.raises(Built):
        trainer.train(config, tmp_path / "data", tmp_path / "run", Console(width=200))
    said = capsys.readouterr().out
    assert (
        "more objects than detections=2, up to 3; the rest cannot be found: --detections=3" in said
    )


def write_empty(root, drop):
    """Writes a dataset in which one split has no object, or none that is right."""
    (root / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        write_picture(root / split / "a.png", 0)
        content = coco(["a.png"])
        if split == drop:
            content["annotations"] = content["annotations"][:1]
            content["annotations"][0]["bbox"] = [1, 1, 0, 0]
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))


@pytest.mark.parametrize("split", ["train", "val"])
def test_split_without_a_box_left_is_refused_before_a_network_is_built(
    nothing_built, split, tmp_path
):
    write_empty(tmp_path, split)
    with pytest.raises(ValueError, match=f"{split} has no object, .*1 boxes are left out"):
        trainer.train(
            CONFIG.override(batch_size=1),
            tmp_path,
            tmp_path / "run",
            Console(quiet=True),
            DetectorRunOptions(drop_invalid=True),
        )
    assert not (tmp_path / "run").exists()


def test_parts_of_a_run_of_an_earlier_version_stay_consecutive(nothing_built, tmp_path):
    write_roboflow(tmp_path / "data", (12, 3, 3))
    config = CONFIG.override(dataset_split_name="train[:50%]")
    in_order = load_detection_index(tmp_path / "data", "train[:50%]", proportional=False)
    before = trainer.RunConfig(config.override(classes=3), CELLS, (1, 2, 3), data=in_order.digest())
    task = trainer._Detection(config, tmp_path / "data", DetectorRunOptions(), ())
    task.distribution = Distribution("none")
    assert task.differences(before) == []
    np.testing.assert_array_equal(task._splits[0].image_ids, range(6))
    new = trainer._Detection(config, tmp_path / "data", DetectorRunOptions(), ())
    new.distribution = task.distribution
    assert new._splits[0].image_ids.tolist() != list(range(6))
