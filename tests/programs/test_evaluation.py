"""The evaluation on runs, checkpoints and streams."""

import json

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")

import nasnet_keras as nk
from nasnet_keras.classification import get_recipe
from nasnet_keras.classification.evaluation import evaluate
from nasnet_keras.classification.optimizer import make_optimizer
from nasnet_keras.classification.run_config import RunConfig
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.classification.trainer import build_training_network
from nasnet_keras.data.streams.evaluation_batches import evaluation_batches
from nasnet_keras.programs import eval
from nasnet_keras.training.run_directory import write_config
from tests.one_block_cells import GENOTYPE

RECIPE = get_recipe("digits").override(
    genotype=GENOTYPE,
    num_cells=2,
    filters=2,
    stem_filters=4,
    evaluation_split_name="test[:90]",
    moving_average_decay=0.9,
)


def program(**flags):
    """Runs the program in this process: to start one for each test would take minutes."""
    eval.main(*eval.PROGRAM.parse(*(f"--{name}={value}" for name, value in flags.items())))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory after one step, whose weights are far from their averages."""
    directory = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    model = build_training_network(RECIPE, 10, 10)
    model.compile(make_optimizer(RECIPE, 0.1), "categorical_crossentropy")
    random = np.random.default_rng(0)
    model.optimizer.apply(
        [random.normal(size=w.shape).astype(np.float32) for w in model.trainable_weights],
        model.trainable_weights,
    )
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    model.save(directory / "model.keras")
    write_config(RunConfig(RECIPE, tuple("0123456789")), directory)
    return directory


def test_run_is_scored_on_its_own_split_and_everything_is_written(run, tmp_path, capsys):
    program(checkpoint_path=run, eval_dir=tmp_path, mistakes=5)
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["split"], results["images"]) == ("test[:90]", 90)
    batches = evaluation_batches("digits", "test[:90]", None, "scale", 16)
    expected = evaluate(load_trained_model(run).model, batches)
    assert results["confusion"] == expected.confusion.tolist()
    assert results["top_5_accuracy"] == expected.top_5_accuracy
    printed = capsys.readouterr().out
    assert f"top-5 {expected.top_5_accuracy:.2%}" in printed
    assert f"F1 {expected.class_means()['f1']:.2%}" in printed
    assert all(heading in printed for heading in ("precision", "recall", "F1"))
    assert "mistakes.png and TensorBoard's events of step 1" in printed
    assert list(tmp_path.glob("events.out.tfevents.*"))


def test_decay_of_zero_scores_the_weights_as_trained(run, tmp_path):
    program(
        checkpoint_path=run,
        moving_average_decay=0,
        max_num_batches=2,
        batch_size=20,
        eval_dir=tmp_path,
        mistakes=0,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    batches = evaluation_batches("digits", "test[:40]", None, "scale", 16)
    as_trained, averaged = (
        evaluate(load_trained_model(run, use_moving_averages=use).model, batches).loss
        for use in (False, True)
    )
    assert results["images"] == 40
    assert results["loss"] == pytest.approx(as_trained, rel=1e-4)
    assert results["loss"] != pytest.approx(averaged, rel=1e-2)
    assert not (tmp_path / "mistakes.png").exists()


def test_weights_of_a_named_network_are_scored_on_a_stream(real_data, tmp_path):
    model = nk.create_model("pnasnet_mobile", classes=1001, input_shape=(32, 32, 3))
    nk.save_slim_checkpoint(model, tmp_path / "model.ckpt")
    program(
        checkpoint_path=tmp_path / "model.ckpt",
        model_name="pnasnet_mobile",
        eval_image_size=32,
        dataset_name="imagenet2012",
        dataset_split_name="validation",
        dataset_dir=real_data / "tfds",
        labels_offset=-1,
        max_num_batches=1,
        batch_size=10,
        eval_dir=tmp_path / "eval",
    )
    results = json.loads((tmp_path / "eval" / "results.json").read_text())
    assert results["images"] == 10 and results["per_class"][0]["class"] == "background"
    batches = evaluation_batches(
        "imagenet2012", "validation[:10]", real_data / "tfds", "inception", 32, 10, -1
    )
    assert results["loss"] == pytest.approx(evaluate(model, batches).loss, rel=1e-4)
    assert (tmp_path / "eval" / "mistakes.png").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"dataset_split_name": "tst"}, "did you mean 'test'"),
        ({"preprocessing_name": "cifar_cutout"}, "in evaluation it is 'cifar'"),
        ({"model_name": "nasnet_mobile"}, "holds network 'nasnet_cifar'"),
        ({"labels_offset": 1}, "has label -1"),
        ({"eval_image_size": 20}, "takes 16 pixels only"),
        ({"checkpoint_path": "{run}/config.json"}, "--model_name is missing"),
        (
            {"checkpoint_path": "{run}/x", "model_name": "nasnet_cifr", "dataset_name": "digits"},
            "did you mean 'nasnet_cifar'",
        ),
        ({"checkpoint_path": "{run}/x", "model_name": "nasnet_cifar"}, "--dataset_name is missing"),
    ],
)
def test_what_is_wrong_is_refused(run, tmp_path, flags, message):
    flags = {name: str(value).format(run=run) for name, value in flags.items()}
    with pytest.raises(ValueError, match=message):
        program(**{"checkpoint_path": run, "eval_dir": tmp_path / "eval", **flags})
    assert not (tmp_path / "eval").exists()
