"""People's own callbacks and metrics in a run that is cut, goes on, and is ended early."""

import io
import json
import signal
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from nasnet_keras.classification.objective import cross_entropies
from nasnet_keras.settings import Settings
from nasnet_keras.training.callbacks import CallbackError
from nasnet_keras.training.callbacks.checks import check_callbacks
from nasnet_keras.training.callbacks.early_stopping import StopEarly
from nasnet_keras.training.callbacks.tensorboard import TensorBoardScalars
from nasnet_keras.training.checkpoint import read_training_state
from nasnet_keras.training.evaluator import TrainingEvaluator
from nasnet_keras.training.run_directory import write_config
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions
from nasnet_keras.training.step.extra_metrics import ExtraMetrics, check_metrics
from nasnet_keras.training.step.training_network import TrainingNetwork
from nasnet_keras.training.task import Task
from nasnet_keras.training.trainer import train_task

EPOCH, EPOCHS, CLASSES = 4, 3, 3
OUTPUTS = ("logits", "auxiliary_logits")


@dataclass(frozen=True)
class Config(Settings):
    seed: int = 0


class Evaluator(TrainingEvaluator):
    """Every epoch's score is what a test says."""

    def __init__(self, scores):
        self.scores = scores

    def build(self, model):
        return model

    def score(self, network, on_progress):
        step = int(keras.ops.convert_to_numpy(network.optimizer.iterations))
        on_progress and on_progress(1, 1)
        return self.scores[step // EPOCH]

    def summary(self, result):
        return {"evaluation_accuracy": result}


class Linear(Task):
    """Three classes of random numbers: fast, and with everything that a run has."""

    config_type, seed, batch_size, image_size = Config, 0, 4, {}
    evaluate_every_epochs, score, panels = (
        1,
        "evaluation_accuracy",
        {"loss": (), "learning rate": ()},
    )

    def __init__(self, callbacks=(), metrics=(), scores=(0.0, 0.5, 0.6, 0.7)):
        self.options = CommonRunOptions(tensorboard=False)
        self.callbacks, self.metrics, self.scores = callbacks, metrics, scores

    def differences(self, before):
        return []

    def open(self, directory, before):
        return RunLength(EPOCH, EPOCH * EPOCHS), 0.1

    def build(self, run):
        image = keras.Input((2,))
        heads = {name: keras.layers.Dense(CLASSES, name=name)(image) for name in OUTPUTS}
        model = TrainingNetwork(image, heads)
        model.extra_metrics = ExtraMetrics("logits", self.metrics)
        model.extra_metrics.build(CLASSES)
        losses, _ = cross_entropies(1.0)
        model.compile(keras.optimizers.SGD(0.1), loss=losses)
        return model

    def write(self, run):
        write_config(Config(), run.directory)

    def evaluator(self, run):
        return Evaluator(self.scores)

    def board(self, run, evaluator):
        return TensorBoardScalars(run)

    def batches(self, first_step):
        step = first_step
        while True:
            random = np.random.default_rng(step)
            labels = np.eye(CLASSES, dtype="float32")[random.integers(CLASSES, size=4)]
            yield random.normal(size=(4, 2)).astype("float32"), dict.fromkeys(OUTPUTS, labels)
            step += 1

    def data_error(self):
        return None

    def finish(self, run, evaluation):
        return evaluation


class Counting(keras.callbacks.Callback):
    """Remembers how often each hook was called, and with which batches."""

    def __init__(self):
        super().__init__()
        self.seen = {"epochs begun": 0, "epochs": [], "batches": []}

    def on_epoch_begin(self, epoch, logs=None):
        self.seen["epochs begun"] += 1

    def on_train_batch_end(self, batch, logs=None):
        self.seen["batches"].append([batch, round(float(logs["largest"]), 6)])

    def on_epoch_end(self, epoch, logs=None):
        self.seen["epochs"].append([epoch, logs["evaluation_accuracy"], float(logs["loss"])])

    def state_dict(self):
        return self.seen

    def load_state_dict(self, state):
        self.seen = state


class Largest(keras.metrics.Metric):
    """The largest probability of an epoch: no sum."""

    def __init__(self, name="largest", **options):
        super().__init__(name=name, **options)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(keras.ops.maximum(self.value, keras.ops.max(y_pred)))

    def result(self):
        return keras.ops.convert_to_tensor(self.value)

    def reset_state(self):
        self.value.assign(0.0)


class Raise(keras.callbacks.Callback):
    """Raises an error, or a signal, after some step."""

    def __init__(self, step, what):
        super().__init__()
        self.left, self.what = step, what

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            if isinstance(self.what, Exception):
                raise self.what
            signal.raise_signal(self.what)


def trained(directory, callbacks=(), **options):
    console = Console(file=io.StringIO(), width=200)
    result = train_task(Linear(callbacks, **options), directory, console)
    return result, console.file.getvalue()


def log(directory: Path):
    lines = (json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def weights(directory):
    model = keras.saving.load_model(directory / "model.keras")
    return [
        keras.ops.convert_to_numpy(each) for each in (*model.weights, *model.optimizer.variables)
    ]


@pytest.mark.parametrize("cut", [2, 4, 6])
def test_callbacks_and_metrics_are_after_a_cut_what_they_are_without(tmp_path, cut):
    metrics = [keras.metrics.AUC(name="auc"), Largest(), keras.metrics.F1Score("macro")]

    def stopping():
        # One of Keras 3.12 that is used again remembers the best of the run before.
        return keras.callbacks.EarlyStopping("evaluation_accuracy", mode="max")

    whole = Counting()
    result, said = trained(tmp_path / "whole", [whole, stopping()], metrics=metrics)
    assert result == 0.7 and whole.seen["epochs begun"] == 3 and len(whole.seen["batches"]) == 12
    assert "anew" not in said
    assert (
        trained(tmp_path / "cut", [Counting(), Raise(cut, signal.SIGTERM)], metrics=metrics)[0]
        is None
    )
    after, said = Counting(), None
    result, said = trained(tmp_path / "cut", [after, stopping()], metrics=metrics)
    assert result == 0.7 and after.seen == whole.seen
    # It was not there before.
    assert "nothing was saved of EarlyStopping" in said
    assert log(tmp_path / "cut") == log(tmp_path / "whole")
    assert {"auc", "largest"} <= log(tmp_path / "cut")[0].keys()
    for one, other in zip(weights(tmp_path / "cut"), weights(tmp_path / "whole"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_metrics_than_before_the_cut_are_said_and_do_no_harm(tmp_path):
    trained(tmp_path, [Raise(2, signal.SIGTERM)], metrics=[Largest()])
    _, said = trained(tmp_path)
    assert "epoch 1 had other metrics" in said and "goes on without" not in said
    assert [line["step"] for line in log(tmp_path)] == [4, 8, 12]


@pytest.mark.parametrize("patience", [1, 2])
def test_early_stopping_ends_the_run_which_then_stays_ended(tmp_path, patience):
    stop = StopEarly("evaluation_accuracy", patience, min_delta=0.1)
    result, said = trained(tmp_path, [stop], scores=(0.0, 0.5, 0.55, 0.58))
    assert result == (0.55, 0.58)[patience - 1]
    assert "StopEarly ends the run" in said
    assert read_training_state(tmp_path / "model.keras").ended
    assert len(log(tmp_path)) == 1 + patience and (tmp_path / "curves.png").exists()
    before = (tmp_path / "model.keras").read_bytes()
    assert trained(tmp_path, [stop], scores=(0.0, 0.5, 0.55, 0.58))[0] == result
    assert (tmp_path / "model.keras").read_bytes() == before


def test_early_stopping_counts_on_behind_a_cut(tmp_path):
    scores = (0.0, 0.5, 0.4, 0.3)
    stop = lambda: StopEarly("evaluation_accuracy", 2, min_delta=0.0)  # noqa: E731
    # A signal in the last step of an epoch, whose evaluation is done nevertheless.
    assert trained(tmp_path, [stop(), Raise(8, signal.SIGTERM)], scores=scores)[0] is None
    result, said = trained(tmp_path, [stop()], scores=scores)
    assert result == 0.3 and "StopEarly ends the run" in said
    assert [line["evaluation_accuracy"] for line in log(tmp_path)] == [0.5, 0.4, 0.3]


def test_callback_that_stops_within_an_epoch_ends_the_run_there(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    trained(tmp_path, [Stop()])
    assert [line["step"] for line in log(tmp_path)] == [2]
    assert read_training_state(tmp_path / "model.keras").step == 2


def test_callback_that_raises_ends_the_run_in_a_line_and_the_checkpoint_stays(tmp_path):
    with pytest.raises(CallbackError) as caught:
        trained(tmp_path, [Raise(6, OSError("no\nserver"))])
    (said,) = str(caught.value).splitlines()
    assert said.startswith("callback Raise, on_train_batch_end: OSError: no server; the last good")
    assert read_training_state(tmp_path / "model.keras").step == 4
    assert trained(tmp_path, [])[0] == 0.7


def test_state_that_is_no_json_is_refused_with_the_callbacks_name(tmp_path):
    callback = Counting()
    callback.state_dict = lambda: {"a set": {1}}
    with pytest.raises(CallbackError, match="callback Counting, state_dict: .*not JSON serial"):
        trained(tmp_path, [callback], metrics=[Largest()])


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        ("callback", "objects of keras.callbacks.Callback, got 'callback'"),
        (
            keras.callbacks.EarlyStopping(),
            "EarlyStopping: unknown value 'val_loss'; did you mean 'loss'",
        ),
        (
            keras.callbacks.EarlyStopping("loss", restore_best_weights=True),
            "best.keras has the best",
        ),
        (keras.callbacks.ReduceLROnPlateau("loss"), "the learning rate is that of the run"),
        (
            keras.callbacks.BackupAndRestore("x"),
            "BackupAndRestore cannot be used: the run directory",
        ),
    ],
)
def test_callbacks_that_a_run_cannot_have_are_refused(callback, message):
    with pytest.raises(ValueError, match=message):
        check_callbacks([callback], ["loss", "evaluation_accuracy"])


def test_callbacks_are_for_one_process():
    check_callbacks([keras.callbacks.ModelCheckpoint("x.keras")], ["loss"])
    with pytest.raises(ValueError, match="distribution=multiworker"):
        check_callbacks([Counting()], ["loss"], "multiworker")


class OfTwoClasses(Largest):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, keras.ops.reshape(y_pred, (-1, 2, 2)))


class NotMadeAnew(Largest):
    def __init__(self, threshold):
        super().__init__()


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("accuracy", "objects of keras.metrics.Metric, got 'accuracy'"),
        (Largest("loss"), "metric 'loss': another value has this name"),
        (keras.metrics.F1Score(), r"metric 'f1_score' is one number, got shape \(3,\)"),
        (OfTwoClasses(), r"'largest' does not take labels and probabilities of shape \(2, 3\)"),
        (NotMadeAnew(0.5), "'largest' cannot be made anew from its get_config()"),
    ],
)
def test_metrics_that_a_run_cannot_have_are_refused(metric, message):
    with pytest.raises(ValueError, match=message):
        check_metrics([metric], ["loss"])
        ExtraMetrics("logits", [metric]).build(CLASSES)
