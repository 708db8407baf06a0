"""A loss that is not finite ends the run before it is saved."""

import json

import keras
import numpy as np
import pytest

from nasnet_keras.classification import get_recipe, trainer, training_data
from nasnet_keras.training.callbacks.stopping import NonFiniteLossError, StopAtNonFiniteLoss
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions
from nasnet_keras.training.saved_network import load_model
from tests.one_block_cells import GENOTYPE

TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, batch_size=256, epochs=3
)


def made_run(directory, rate, **values):
    return Run(directory, CommonRunOptions(), RunLength(6, 6), rate, 1, **values)


def fit(inputs, callback):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    model.fit(
        inputs,
        np.zeros((len(inputs), 1)),
        batch_size=1,
        shuffle=False,
        callbacks=[callback],
        verbose=0,
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_step_and_rate_are_named(tmp_path, value):
    inputs = np.zeros((6, 2))
    inputs[3] = value
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.1)
    callback = StopAtNonFiniteLoss(made_run(tmp_path, schedule, first_step=1))
    # Four batches after the first step of an earlier run: the fifth step, with the rate of 4.
    message = r"at step 5, learning rate 5e-05; there is no checkpoint yet"
    with pytest.raises(NonFiniteLossError, match=message):
        fit(inputs, callback)


def test_finite_losses_pass(tmp_path):
    fit(np.ones((6, 2)), StopAtNonFiniteLoss(made_run(tmp_path, 0.1)))


def test_run_that_diverges_names_its_last_good_checkpoint_and_keeps_it(tmp_path, monkeypatch):
    batches = training_data.shuffled_batches

    def spoiled(*arguments):
        for number, (images, labels) in enumerate(batches(*arguments)):
            yield (images * np.nan if number == 6 else images), labels

    monkeypatch.setattr(training_data, "shuffled_batches", spoiled)
    with pytest.raises(NonFiniteLossError) as caught:
        trainer.train(TINY, tmp_path)
    checkpoint = tmp_path / "model.keras"
    assert str(caught.value).startswith("the loss is nan at step 7, learning rate 0.0")
    assert str(caught.value).endswith(f"the last good checkpoint is {checkpoint}")
    saved = load_model(checkpoint)
    assert int(saved.optimizer.iterations) == 5
    assert all(np.isfinite(keras.ops.convert_to_numpy(w)).all() for w in saved.weights)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [5]
