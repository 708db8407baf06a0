"""Training of a detector: cut off and continued, its log and files, and what it refuses."""

import json
import os
import shutil
import signal

import keras
import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")

from nasnet_keras.detection.configuration.streams import evaluation_stream, image_ids_of_step
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data import AnnotationError, write_toy_dataset
from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.detection.modeling.faster_rcnn import LOSSES, FasterRCNN
from nasnet_keras.detection.training import evaluator as detector_evaluator
from nasnet_keras.detection.training import trainer
from nasnet_keras.detection.training.evaluator import DetectorEvaluator
from nasnet_keras.detection.training.optimizer import make_optimizer
from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.detection.training.start import start_detector_from
from nasnet_keras.training import fit
from nasnet_keras.training.callbacks.stopping import NonFiniteLossError, StopWhenAsked
from tests.detection_network import tiny_config

CONFIG = TrainingConfig(
    "tiny",
    tiny_config(classes=10),
    learning_rate=0.01,
    learning_rate_boundaries=(),
    steps=5,
    batch_size=2,
    augmentation=DetectionAugmentation(flip=0.5, scale_range=(0.8, 1.2)),
    evaluate_every_epochs=2,
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Six images to train on, three steps an epoch; three to score."""
    root = tmp_path_factory.mktemp("toy")
    write_toy_dataset(root, train_images=6, val_images=3)
    return root


def quiet() -> Console:
    return Console(quiet=True)


class Seen(keras.callbacks.Callback):
    """A user's callback: the loss and the AP50 of each epoch."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append([epoch, float(logs["loss"]), logs.get("evaluation_AP50", -2.0)])

    def state_dict(self):
        return {"epochs": self.epochs}

    def load_state_dict(self, state):
        self.epochs = state["epochs"]


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    """A run that nothing disturbed, what it returned, and what a callback saw."""
    directory, seen = tmp_path_factory.mktemp("run"), Seen()
    metrics = trainer.train(CONFIG, dataset, directory, quiet(), callbacks=[seen])
    return directory, metrics, seen.epochs


def test_run_leaves_what_it_promises(finished, dataset):
    directory, metrics, _ = finished
    log = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["step"]) for line in log] == [(1, 3), (2, 5)]
    assert {"loss", *LOSSES, "learning_rate"} <= log[0].keys()
    assert "evaluation_AP" not in log[0] and -1 <= log[1]["evaluation_AP50"] <= 1
    assert json.loads((directory / "metrics.json").read_text())["AP"] == metrics.summary["AP"]
    results = json.loads((directory / "results.json").read_text())
    assert all(result["image_id"] in (1, 2, 3) for result in results)
    assert (directory / "curves.png").stat().st_size > 1000
    assert list((directory / "tensorboard").iterdir())
    detector = load_trained_detector(directory)
    assert detector.path.name == "best.keras" and detector.step == 5
    assert detector.config.class_names == tuple(map(str, range(10)))
    assert (
        load_trained_detector(directory, evaluation_proposals=3).model.config.evaluation_proposals
        == 3
    )


def test_cut_off_run_goes_on_to_equal_weights(finished, dataset, tmp_path, monkeypatch):
    class Cut(StopWhenAsked):
        def on_step(self, logs):
            if self.step == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            super().on_step(logs)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "StopWhenAsked", Cut)
        assert trainer.train(CONFIG, dataset, tmp_path, quiet(), callbacks=[Seen()]) is None
    with pytest.raises(ValueError, match="steps was 5, now 6"):
        trainer.train(CONFIG.override(steps=6), dataset, tmp_path, quiet())
    others = tmp_path / "others"
    write_toy_dataset(others, train_images=7, val_images=3)
    with pytest.raises(ValueError, match="the images or boxes of train differ"):
        trainer.train(CONFIG, others, tmp_path, quiet())
    seen = Seen()
    trainer.train(CONFIG, dataset, tmp_path, quiet(), callbacks=[seen])
    ours, theirs = (
        keras.saving.load_model(folder / "model.keras") for folder in (tmp_path, finished[0])
    )
    for weight, expected in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(weight, expected, err_msg=weight.path)
    lines = [
        (folder / "metrics.jsonl").read_text().splitlines() for folder in (tmp_path, finished[0])
    ]
    for mine, other in zip(*(map(json.loads, text) for text in lines), strict=True):
        assert mine["loss"] == pytest.approx(other["loss"], rel=1e-5)
    # Callbacks too, of the epoch that was cut in two and of the evaluation.
    assert [epoch[0] for epoch in seen.epochs] == [0, 1]
    for mine, other in zip(seen.epochs, finished[2], strict=True):
        assert mine == pytest.approx(other, rel=1e-5)


def test_callback_that_watches_what_is_never_scored_is_refused(dataset, tmp_path):
    early = keras.callbacks.EarlyStopping("evaluation_AP", mode="max")
    config = CONFIG.override(evaluate_every_epochs=0)
    with pytest.raises(ValueError, match="EarlyStopping: unknown value 'evaluation_AP'"):
        trainer.train(config, dataset, tmp_path / "run", quiet(), callbacks=[early])
    assert not (tmp_path / "run").exists()


def test_loss_that_is_no_number_names_the_images(dataset, tmp_path):
    config = CONFIG.override(learning_rate=1e30, evaluate_every_epochs=0)
    with pytest.raises(NonFiniteLossError) as caught:
        trainer.train(config, dataset, tmp_path, quiet())
    index = trainer.load_detection_index(dataset, "train")
    step = int(str(caught.value).split("at step ")[1].split(",")[0])
    first, second = image_ids_of_step(config, index, step)
    assert f"at step {step}, images {first}, {second}, learning rate 1e+30" in str(caught.value)
    # Without repetition within an epoch.
    assert len({i for s in (1, 2, 3) for i in image_ids_of_step(config, index, s)}) == 6


def test_wrong_annotations_are_listed_before_anything_is_made(dataset, tmp_path):
    root, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(dataset, root)
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["bbox"] = [3, 3, -1, 5]
    content["annotations"][1]["category_id"] = 77
    path.write_text(json.dumps(content))
    other = path.with_name("instances_val2017.json")
    content = json.loads(other.read_text())
    content["annotations"][2]["bbox"] = [3, 3, 5, 0]
    other.write_text(json.dumps(content))
    with pytest.raises(AnnotationError) as caught:
        trainer.train(CONFIG, root, run, quiet())
    assert len(caught.value.problems) == 3 and "annotation 1" in caught.value.problems[0]
    assert "instances_val2017.json: annotation 3" in caught.value.problems[2]
    assert not run.exists()


def test_too_few_images_for_a_step_are_refused(dataset, tmp_path):
    with pytest.raises(ValueError, match=r"batch"):
        trainer.train(CONFIG.override(batch_size=7), dataset, tmp_path / "run", quiet())
    assert not (tmp_path / "run").exists()


def test_padding_is_black(dataset):
    index = trainer.load_detection_index(dataset, "val").take([0])
    config = CONFIG.override(keep_aspect=True, image_size=(64, 96))
    batch = next(iter(evaluation_stream(config, index)))
    height, width = batch["image_sizes"][0]
    inside, images = batch["images"][0, :height, :width], batch["images"][0]
    assert inside.mean() > 20 and inside.max() <= 255 and inside.min() >= 0
    assert images.sum() == pytest.approx(inside.sum()) and width < 96


def test_training_starts_from_a_detector_of_other_classes(finished, tmp_path):
    model = FasterRCNN(CONFIG.detector.replace(classes=4))
    before = [keras.ops.convert_to_numpy(w) for w in model.box_head.weights]
    line = start_detector_from(model, finished[0])
    assert "box_head left as it was, for other classes" in line
    saved = load_trained_detector(finished[0]).model
    for ours, theirs in zip(model.network.weights, saved.network.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, value in zip(model.box_head.weights, before, strict=True):
        np.testing.assert_array_equal(ours, value)
    # As many classes, but not the same ones: what a class looks like is not to be taken over.
    model = FasterRCNN(CONFIG.detector)
    letters = tuple("abcdefghij")
    assert "for other classes" in start_detector_from(model, finished[0], letters)
    digits = tuple(map(str, range(10)))
    assert "other" not in start_detector_from(model, finished[0], digits)
    # A file alone has weights enough.
    alone = tmp_path / "alone.keras"
    shutil.copy(finished[0] / "model.keras", alone)
    assert f"from {alone}" in start_detector_from(model, alone, letters)
    other = FasterRCNN(tiny_config(network={"filters": 16}, classes=10))
    with pytest.raises(ValueError, match="is another detector"):
        start_detector_from(other, finished[0])


def test_weights_are_scored_once(dataset, monkeypatch):
    calls = []
    monkeypatch.setattr(detector_evaluator, "detect_split", lambda *_, **__: calls.append(1) or [])
    monkeypatch.setattr(DetectorEvaluator, "_draw", lambda *_: None)
    model = FasterRCNN(CONFIG.detector)
    model.compile(make_optimizer(CONFIG))
    evaluator = DetectorEvaluator(CONFIG, trainer.load_detection_index(dataset, "val"))
    assert evaluator.evaluate(model) == evaluator.evaluate(model)
    assert len(calls) == 1
    model.optimizer.iterations.assign(1)
    evaluator.evaluate(model)
    assert len(calls) == 2


def test_half_floats_scale_the_loss(dataset, tmp_path):
    config = CONFIG.override(precision="mixed_float16", steps=3, evaluate_every_epochs=0)
    trainer.train(config, dataset, tmp_path, quiet())
    optimizer = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    # Steps whose gradients overflow are left out and halve the scale of the next one.
    assert float(optimizer.dynamic_scale) == 2.0 ** (15 - 3 + int(optimizer.iterations))


def test_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match="did you mean 'mirrored'"):
        DetectorRunOptions(distribution="miror")
