"""What TensorBoard reads of a run: values, steps, a run that is continued."""

import math
import sys

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification.board import ClassifierBoard, write_evaluation
from nasnet_keras.classification.evaluation import Evaluation
from nasnet_keras.classification.evaluation_pictures import Mistake
from nasnet_keras.classification.objective import add_weight_decay, cross_entropies
from nasnet_keras.layers import DropPath
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions
from tests.one_block_cells import GENOTYPE

pytest.importorskip("tensorboardX")
pytest.importorskip("tensorboard")
BATCH = 4


def made_run(directory, first_step=0, every=2, rate=0.1):
    options = CommonRunOptions(log_every_n_steps=every)
    return Run(directory, options, RunLength(5, 10), rate, BATCH, first_step=first_step)


def read(directory):
    """Returns `{tag: {step: value}}` as TensorBoard reads it; an image's value is its pixels."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    found = {}
    for tag in events.Tags()["scalars"]:
        points = [(event.step, event.value) for event in events.Scalars(tag)]
        assert len({step for step, _ in points}) == len(points), f"{tag} has a step twice"
        found[tag] = dict(points)
    for tag in events.Tags()["images"]:
        found[tag] = {event.step: (event.height, event.width) for event in events.Images(tag)}
    return found


class Recorder(keras.callbacks.Callback):
    """Keeps the logs of every batch; adds the evaluation of an epoch to its logs."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        logs.update(evaluation_accuracy=0.25 * (epoch + 1), evaluation_loss=2.0)


def schedule(step):
    return 0.1 / (1 + step)


def fit(directory, auxiliary=0.4, first_step=0, every=2, epochs=2, stop=None, network=True):
    """Trains for two epochs of five steps; returns the recorder and the model."""
    size = 16
    losses, weights = cross_entropies(auxiliary)
    if network:
        model = nk.create_model(
            "nasnet_cifar",
            classes=3,
            genotype=GENOTYPE,
            num_cells=2,
            filters=2,
            stem_filters=4,
            input_shape=(size, size, 3),
            auxiliary_head=True,
            drop_path_keep_probability=0.5,
            drop_path_total_steps=10,
        )
    else:
        size = 2
        image = keras.Input((size, size, 3))
        logits = keras.layers.Dense(3)(keras.layers.Flatten()(image))
        model = keras.Model(image, {"logits": logits})
    model.compile(
        keras.optimizers.SGD(0.01),
        loss=losses,
        loss_weights=weights,
        metrics={"logits": [keras.metrics.CategoricalAccuracy("accuracy")]},
    )
    add_weight_decay(model, 0.1)
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (5 * BATCH, size, size, 3)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[random.integers(3, size=5 * BATCH)]
    recorder = Recorder()
    board = ClassifierBoard(made_run(directory, first_step, every, schedule))
    callbacks = [recorder, board]
    if stop:
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: board.step == stop and 1 / 0
            )
        )
    try:
        model.fit(
            images,
            dict.fromkeys(losses, targets),
            batch_size=BATCH,
            initial_epoch=first_step // 5,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
    except ZeroDivisionError:
        pass
    finally:
        board.close()
    return recorder, model


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    recorder, model = fit(directory)
    return recorder, model, read(directory / "tensorboard")


def test_points_are_means_over_the_steps_since_the_last_one(run):
    recorder, _, found = run
    assert list(found["training/loss"]) == [2, 4, 5, 6, 8, 10]
    # Keras gives means since the beginning of an epoch of five.
    means = [record["loss"] for record in recorder.batches]
    own = []
    for epoch in (means[:5], means[5:]):
        sums = [mean * (number + 1) for number, mean in enumerate(epoch)]
        own += list(np.diff([0, *sums]))
    expected = {
        2: np.mean(own[:2]),
        4: np.mean(own[2:4]),
        5: own[4],
        6: own[5],
        8: np.mean(own[6:8]),
        10: np.mean(own[8:]),
    }
    assert found["training/loss"] == pytest.approx(expected, rel=1e-4)
    assert found["epoch/loss"] == pytest.approx({5: means[4], 10: means[9]}, rel=1e-5)
    accuracies = [record["logits_accuracy"] for record in recorder.batches]
    assert found["epoch/accuracy"] == pytest.approx({5: accuracies[4], 10: accuracies[9]})


def test_parts_of_the_loss_add_up(run):
    _, model, found = run
    for step, loss in found["training/loss"].items():
        parts = (
            found["training/cross_entropy"][step]
            + 0.4 * found["training/auxiliary_cross_entropy"][step]
            + found["training/l2"][step]
        )
        assert parts == pytest.approx(loss, rel=1e-5)
    # The last step has moved the weights a little since.
    l2 = sum(float(value) for value in model.losses)
    assert found["training/l2"][10] == pytest.approx(l2, rel=0.02)


def test_rate_and_drop_path_are_those_of_the_step(run):
    _, model, found = run
    assert found["learning_rate"][6] == pytest.approx(schedule(5))
    paths = [layer.drop_path for layer in model.layers if hasattr(layer, "drop_path")]
    last = max((path for path in paths if isinstance(path, DropPath)), key=lambda p: p.cell_number)
    assert last.cell_number == last.total_cells - 1
    assert found["drop_path_keep_probability"][10] == pytest.approx(1 - 0.9 * 0.5)
    assert all(speed > 0 for speed in found["images_per_second"].values())


def test_what_others_add_to_the_logs_of_an_epoch_is_written(run):
    found = run[2]
    assert found["evaluation/accuracy"] == {5: 0.25, 10: 0.5}
    assert found["evaluation/loss"] == {5: 2.0, 10: 2.0}


def test_single_output_is_told_from_l2(tmp_path):
    _, model = fit(tmp_path, auxiliary=0.0, network=False)
    found = read(tmp_path / "tensorboard")
    assert "drop_path_keep_probability" not in found
    l2 = sum(float(value) for value in model.losses)
    assert found["training/l2"][10] == pytest.approx(l2, rel=1e-5)
    for step, loss in found["training/loss"].items():
        both = found["training/cross_entropy"][step] + found["training/l2"][step]
        assert both == pytest.approx(loss, rel=1e-5)


def test_continued_run_has_no_step_twice(tmp_path):
    fit(tmp_path, auxiliary=0.0, network=False, stop=9)
    assert list(read(tmp_path / "tensorboard")["training/loss"]) == [2, 4, 5, 6, 8]
    # Again from the end of the first epoch, and of its last step nothing is lost.
    fit(tmp_path, auxiliary=0.0, network=False, first_step=5)
    found = read(tmp_path / "tensorboard")
    assert list(found["training/loss"]) == [2, 4, 5, 6, 8, 10]
    assert list(found["epoch/loss"]) == [5, 10]


def test_network_and_steps_are_looked_at_only_when_points_are_written(tmp_path, monkeypatch):
    """On JAX, to look at the model is to bring all of its state up to date."""
    looks = []
    model = keras.callbacks.Callback.model.fget
    monkeypatch.setattr(
        ClassifierBoard, "model", property(lambda self: looks.append(self.step) or model(self))
    )
    fit(tmp_path, auxiliary=0.0, network=False, every=4)
    assert set(looks) == {0, 4, 5, 8, 10}


def evaluation(accuracy, mistakes=()):
    right = round(100 * accuracy)
    confusion = np.array([[right, 100 - right], [0, 0]])
    return Evaluation("made", "test", ("a", "b"), confusion, 0.5, None, tuple(mistakes))


def test_evaluation_is_written_with_its_mistakes_and_again_in_place_of_itself(tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    assert write_evaluation(tmp_path, evaluation(0.5), 3)
    assert write_evaluation(tmp_path, evaluation(0.75), 7)
    assert write_evaluation(tmp_path, evaluation(0.8, [Mistake(image, "a", "b", 0.9)]), 7)
    found = read(tmp_path)
    assert found["evaluation/accuracy"] == pytest.approx({3: 0.5, 7: 0.8})
    assert found["evaluation/loss"] == {3: 0.5, 7: 0.5}
    height, width = found["evaluation/mistakes"][7]
    assert min(height, width) > 100


def test_where_the_writer_is_not_installed_one_line_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    recorder, _ = fit(tmp_path, auxiliary=0.0, network=False)
    assert len(recorder.batches) == 10
    assert not list(tmp_path.iterdir())
    assert not write_evaluation(tmp_path / "events", evaluation(0.5), 1)
    for record in caplog.records:
        assert "pip install 'nasnet-keras[tensorboard]'" in record.getMessage()
    assert len(caplog.records) == 2


def test_loss_that_is_no_number_is_written(tmp_path):
    board = ClassifierBoard(made_run(tmp_path, every=1))
    board.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    board.model.compile("sgd", "mse")
    board.on_train_begin()
    board.on_epoch_begin(0)
    board.on_train_batch_end(0, {"loss": math.nan})
    board.close()
    assert math.isnan(read(tmp_path / "tensorboard")["training/loss"][1])
