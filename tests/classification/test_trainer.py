"""Training end to end on a network small enough to compile in seconds."""

import contextlib
import io
import json
import os
import signal

import keras
import numpy as np
import pytest
from rich.console import Console

from nasnet_keras.classification import RunOptions, get_recipe, trainer
from nasnet_keras.classification.evaluation import evaluate
from nasnet_keras.classification.evaluator import Evaluator
from nasnet_keras.classification.recipe_network import build_training_network
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.data.streams.evaluation_batches import evaluation_batches
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.models import inference_model
from nasnet_keras.search import get_space
from nasnet_keras.training.callbacks.progress import ProgressBar
from nasnet_keras.training.callbacks.saving import SaveRun
from nasnet_keras.training.callbacks.step_callback import StepCallback
from nasnet_keras.training.checkpoint import read_training_state
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from nasnet_keras.training.saved_network import load_model
from tests.one_block_cells import GENOTYPE

TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, batch_size=256, epochs=2
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A directory in which the tiny network was trained, and its result."""
    directory = tmp_path_factory.mktemp("run")
    return directory, trainer.train(TINY, directory)


def read_log(directory):
    return [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]


def without_times(log):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in log]


def test_run_directory_has_config_checkpoint_log_result_and_samples(run):
    directory, result = run
    config = json.loads((directory / "config.json").read_text())
    assert config["recipe"]["filters"] == 2 and config["recipe"]["dataset_name"] == "digits"
    assert config["class_names"] == list("0123456789")
    assert [record["step"] for record in read_log(directory)] == [5, 10]
    assert json.loads((directory / "results.json").read_text())["accuracy"] == result.accuracy
    assert (directory / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert (directory / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((directory / "samples").glob("digits_*.png"))) == 10
    assert list((directory / "tensorboard").glob("events.out.tfevents.*"))
    assert not list(directory.glob(".*partial*"))


def test_learning_rate_falls_to_zero_by_a_cosine(run):
    rates = [record["learning_rate"] for record in read_log(run[0])]
    assert rates == pytest.approx([0.05, 0.0], abs=1e-6)


def test_drop_path_schedule_has_counted_every_step(run):
    model = load_trained_model(run[0]).model
    assert int(model.get_layer("drop_path_schedule").step) == 10


def assert_same_weights(first, second):
    ours, theirs = load_model(first / "model.keras"), load_model(second / "model.keras")
    ours, theirs = ((*m.variables, *m.optimizer.variables) for m in (ours, theirs))
    for one, other in zip(ours, theirs, strict=True):
        one, other = keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        np.testing.assert_array_equal(one, other)


def test_killed_run_continues_at_the_exact_batch_to_the_same_weights(run, tmp_path, monkeypatch):
    on_step = SaveRun.on_step

    def die_at_step_8(self, logs):
        if self.step == 8:
            raise RuntimeError("killed")
        on_step(self, logs)

    with monkeypatch.context() as patch:
        patch.setattr(SaveRun, "on_step", die_at_step_8)
        with pytest.raises(RuntimeError, match="killed"):
            trainer.train(TINY, tmp_path, options=RunOptions(save_interval_secs=0))
    assert [record["step"] for record in read_log(tmp_path)] == [5]
    assert read_training_state(tmp_path / "model.keras").step == 7
    trainer.train(TINY, tmp_path)
    # The line of the epoch that was cut in two is that of a whole one.
    assert without_times(read_log(tmp_path)) == without_times(read_log(run[0]))
    assert_same_weights(tmp_path, run[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_saves_the_step_at_hand(tmp_path, monkeypatch, number):
    class Signal(StepCallback):
        def on_step(self, logs):
            if self.step == 3:
                signal.raise_signal(number)

    monkeypatch.setattr(ProgressBar, "on_step", Signal.on_step)
    console = Console(file=io.StringIO())
    interrupt = pytest.raises(KeyboardInterrupt)
    with interrupt if number == signal.SIGINT else contextlib.nullcontext():
        assert trainer.train(TINY, tmp_path, console) is None
    assert read_training_state(tmp_path / "model.keras").step == 4
    assert "the same command goes on" in console.file.getvalue()
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(("epoch", "step"), [(1, 6), (2, 10)])
def test_signal_in_an_evaluation_gives_it_up(run, tmp_path, monkeypatch, epoch, step):
    calls = []

    def evaluating(done, total):
        calls.append((done, total))
        if calls.count((1, 4)) == epoch:
            signal.raise_signal(signal.SIGTERM)

    options = RunOptions(evaluate_every_epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(ProgressBar, "evaluating", staticmethod(evaluating))
        assert trainer.train(TINY, tmp_path, options=options) is None
    assert calls == [*((n, 4) for n in range(1, 5))] * (epoch - 1) + [(1, 4)]
    assert read_training_state(tmp_path / "model.keras").step == step
    assert not (tmp_path / "results.json").exists()
    trainer.train(TINY, tmp_path, options=options)
    scored = ["evaluation_accuracy" in line for line in read_log(tmp_path)]
    assert scored == [epoch != 1, epoch != 2]
    assert_same_weights(tmp_path, run[0])


def test_cell_that_leaves_an_input_unused_is_trained_without_complaint(tmp_path, recwarn):
    cell = get_space("pnas", num_blocks=1).decode((0, 0, 0, 0))
    cell.save(tmp_path / "cell.json")
    recipe = TINY.override(genotype=str(tmp_path / "cell.json"), max_number_of_steps=2)
    assert trainer.train(recipe, tmp_path / "run") is not None
    assert not [warning for warning in recwarn if "Gradients" in str(warning.message)]


def test_other_data_are_refused(run, tmp_path):
    (tmp_path / "model.keras").write_bytes((run[0] / "model.keras").read_bytes())
    config = json.loads((run[0] / "config.json").read_text())
    assert config["images"] == 1437
    (tmp_path / "config.json").write_text(json.dumps(config | {"images": 1000}))
    message = "other data .1000 images of 10 classes; here are 1437 of 10"
    with pytest.raises(ValueError, match=message):
        trainer.train(TINY, tmp_path)


def test_best_epoch_and_last_checkpoints_are_kept(tmp_path, monkeypatch):
    accuracies = iter([0.5, 0.75, 0.25])

    def results(*_):
        return {"evaluation_accuracy": next(accuracies), "evaluation_loss": 1.0}

    monkeypatch.setattr(Evaluator, "logs", results)
    trainer.train(
        TINY.override(epochs=3),
        tmp_path,
        options=RunOptions(evaluate_every_epochs=1, keep_checkpoints=2),
    )
    assert read_training_state(tmp_path / "best.keras").step == 10
    assert read_training_state(tmp_path / "model.keras").step == 15
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step-000000010.keras", "step-000000015.keras"]
    assert [line["evaluation_accuracy"] for line in read_log(tmp_path)] == [0.5, 0.75, 0.25]


def test_finished_run_is_not_trained_again(run):
    directory, result = run
    before = (directory / "model.keras").read_bytes()
    again = trainer.train(TINY, directory)
    assert (directory / "model.keras").read_bytes() == before
    np.testing.assert_array_equal(again.confusion, result.confusion)


def test_run_of_other_settings_is_refused(run):
    with pytest.raises(ValueError, match=r"learning_rate was 0\.1, now 0\.2"):
        trainer.train(TINY.override(learning_rate=0.2), run[0])


def test_evaluation_does_not_depend_on_the_batch_size(run):
    from nasnet_keras.classification.evaluation import evaluate
    from nasnet_keras.data import evaluation_batches

    directory, result = run
    batches = evaluation_batches("digits", "test", None, "scale", 16, batch_size=77)
    other = evaluate(load_trained_model(directory).model, batches)
    np.testing.assert_array_equal(other.confusion, result.confusion)
    assert other.loss == pytest.approx(result.loss, rel=1e-5)
    assert result.images == 360
    assert sum(row["correct"] for row in result.per_class()) / 360 == result.accuracy


def test_prediction_neither_augments_nor_drops_paths(run):
    model = load_trained_model(run[0]).model
    images = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)
    network = inference_model(model)
    first, second = (np.asarray(network(images)["probabilities"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    logits = np.asarray(model([images], training=False)["logits"])
    np.testing.assert_allclose(np.asarray(keras.ops.softmax(logits)), first, atol=1e-6)


def test_network_without_auxiliary_weight_has_no_auxiliary_head():
    model = build_training_network(TINY.override(auxiliary_weight=0.0), 10, 5)
    assert list(model.output) == ["logits"]
    assert not any(layer.name.startswith("aux_") for layer in model.layers)


def test_first_refusal_comes_before_any_work(tmp_path):
    for change, message in (
        ({"model_name": "nasnet_cifr"}, "did you mean 'nasnet_cifar'"),
        ({"dataset_name": "digit"}, "did you mean 'digits'"),
        ({"augmentation": "shif"}, "did you mean 'shift'"),
        ({"preprocessing_name": "scaled"}, "did you mean 'scale'"),
        ({"train_image_size": 8}, "too small"),
        ({"batch_size": 2000}, "there are 1437 images"),
    ):
        with pytest.raises(ValueError, match=message):
            trainer.train(TINY.override(**change), tmp_path / "run")
        assert not (tmp_path / "run" / "config.json").exists()


def test_recipe_refuses_contradictions_and_illegal_values():
    for change, message in (
        ({"epochs": 2, "max_number_of_steps": 9}, "contradict"),
        ({"optimizer": "adam", "momentum": 0.5}, "contradicts"),
        ({"optimizer": "momentun"}, "did you mean 'momentum'"),
        ({"learning_rate_decay_type": "cosin"}, "did you mean 'cosine'"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"batch_size": 0}, "at least 1"),
        ({"label_smoothing": 1.0}, r"in \[0, 1\)"),
        ({"learning_rte": 0.1}, "did you mean 'learning_rate'"),
    ):
        with pytest.raises(ValueError, match=message):
            TINY.override(**change)
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        get_recipe("digts")


def test_number_of_steps_replaces_epochs_and_the_other_way_round():
    assert TINY.total_steps(5) == 10
    assert TINY.override(max_number_of_steps=7).total_steps(5) == 7
    assert TINY.override(max_number_of_steps=7).override(epochs=3).total_steps(5) == 15


def test_averages_are_what_is_tested_loaded_and_converted(tmp_path):
    recipe = TINY.override(
        optimizer="rmsprop", rmsprop_momentum=0.5, moving_average_decay=0.9, epochs=1
    )
    result = trainer.train(recipe, tmp_path)
    as_trained = load_model(tmp_path / "model.keras")
    averages = averaged_weights(as_trained)
    loaded = load_trained_model(tmp_path).model
    for weight, trained in zip(loaded.trainable_weights, as_trained.trainable_weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), averages[trained.path])
    # A whole layer that learns has moved away from its average.
    kernel = next(w for w in as_trained.trainable_weights if w.name == "kernel")
    difference = np.abs(keras.ops.convert_to_numpy(kernel) - averages[kernel.path]).max()
    assert difference > 1e-4
    statistics = [
        [w for w in model.weights if w.name == "moving_mean"] for model in (loaded, as_trained)
    ]
    for ours, theirs in zip(*statistics, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    batches = evaluation_batches("digits", "test", None, "scale", 16)
    assert evaluate(loaded, batches).loss == pytest.approx(result.loss, rel=1e-5)
    assert evaluate(as_trained, batches).loss != pytest.approx(result.loss, rel=1e-3)


def test_fine_tuning_starts_from_a_run_and_trains_the_scopes_alone(run, tmp_path):
    recipe = TINY.override(
        checkpoint_path=str(run[0]),
        checkpoint_exclude_scopes="final_layer",
        trainable_scopes="final_layer,cell_1",
        max_number_of_steps=4,
        seed=1,
    )
    console = Console(file=io.StringIO())
    trainer.train(recipe, tmp_path, console, RunOptions(tensorboard=False))
    assert "starting with" in console.file.getvalue()
    start, end = load_trained_model(run[0]).model, load_trained_model(tmp_path).model
    before = {weight.path: keras.ops.convert_to_numpy(weight) for weight in start.weights}
    for weight in end.weights:
        after = keras.ops.convert_to_numpy(weight)
        if weight.path.split("/")[0] in ("final_layer", "cell_1"):
            if weight.name in ("kernel", "gamma", "moving_mean"):
                assert np.abs(after - before[weight.path]).max() > 1e-6, weight.path
        elif weight.name != "step":
            np.testing.assert_array_equal(after, before[weight.path], err_msg=weight.path)


def test_options_of_speed_and_memory_train_together(tmp_path):
    recipe = TINY.override(
        precision="mixed_bfloat16",
        gradient_accumulation_steps=2,
        steps_per_execution=2,
        max_number_of_steps=6,
    )
    options = RunOptions(rematerialize=True, tensorboard=False)
    assert trainer.train(recipe, tmp_path, options=options).images == 360
    # An epoch is of whole executions: 4 of its 5 batches.
    assert [record["step"] for record in read_log(tmp_path)] == [4, 6]
    assert all(np.isfinite(record["loss"]) for record in read_log(tmp_path))
    model = load_model(tmp_path / "model.keras")
    assert int(model.get_layer("drop_path_schedule").step) == 6
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_second_training_of_a_directory_is_refused(tmp_path):
    with locked(tmp_path / "run"):
        message = f"run is being written by process {os.getpid()} "
        with pytest.raises(ValueError, match=message):
            trainer.train(TINY, tmp_path / "run")
    # Neither has left anything.
    assert not list(tmp_path.iterdir())
