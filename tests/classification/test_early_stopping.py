"""Class weights, early stopping and the user's metrics, from the recipe to the results."""

import json

import keras
import pytest

from nasnet_keras.classification import RunOptions, get_recipe, trainer
from nasnet_keras.training.log import LOG_NAME, read_log
from nasnet_keras.training.saved_network import load_model
from tests.one_block_cells import GENOTYPE

TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, batch_size=256
)


def test_class_weights_early_stopping_and_metrics_are_in_config_log_and_results(tmp_path):
    recipe = TINY.override(
        class_weights={"3": 5, "8": 0},
        early_stopping="evaluation_accuracy",
        early_stopping_patience=1,
        early_stopping_min_delta=0.9,
        epochs=9,
    )
    options = RunOptions(evaluate_every_epochs=1, tensorboard=False)
    metrics = [keras.metrics.F1Score("macro", name="f1")]
    result = trainer.train(recipe, tmp_path, options=options, metrics=metrics)
    log = read_log(tmp_path / LOG_NAME)
    # By 90 points the second epoch is not better than the first.
    assert [record["step"] for record in log] == [5, 10]
    assert log[-1]["evaluation_f1"] == pytest.approx(result.metrics["f1"])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["metrics"] == {"f1": pytest.approx(results["class_means"]["f1"], abs=1e-6)}
    config = json.loads((tmp_path / "config.json").read_text())["recipe"]
    assert config["class_weights"] == {"3": 5, "8": 0}
    with pytest.raises(ValueError, match=r"class_weights\.8 was 0, now missing"):
        trainer.train(recipe.override(class_weights={"3": 5}), tmp_path, options=options)
    model = load_model(tmp_path / "model.keras")
    assert {metric.name for metric in model.metrics}.isdisjoint({"f1"})


def test_values_that_are_never_computed_and_unknown_classes_are_refused(tmp_path):
    every = RunOptions(evaluate_every_epochs=1)
    watching = keras.callbacks.EarlyStopping("evaluation_accuracy", mode="max")
    for change, options, callbacks, message in (
        ({"early_stopping": "evaluation_loss"}, None, (), "give evaluate_every_epochs too"),
        ({"class_weights": {"10": 2.0}}, every, (), "class_weights: unknown class '10'"),
        ({}, None, [watching], "EarlyStopping: unknown value 'evaluation_accuracy'"),
    ):
        with pytest.raises(ValueError, match=message):
            trainer.train(TINY.override(**change), tmp_path, options=options, callbacks=callbacks)
    assert not list(tmp_path.iterdir())
