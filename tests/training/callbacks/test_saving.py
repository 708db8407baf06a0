"""Which checkpoint is the best, also in a run that was killed while it wrote its log."""

import json

import keras
import numpy as np
import pytest

from nasnet_keras.training.callbacks.saving import SaveRun
from nasnet_keras.training.callbacks.stopping import NonFiniteLossError
from nasnet_keras.training.checkpoint import read_training_state
from nasnet_keras.training.curves import CLASSIFIER_PANELS
from nasnet_keras.training.log import LOG_NAME
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions


def train(directory, scores, first_epoch=0, score=None):
    """Trains epochs of two steps, each with a score."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    run = Run(directory, CommonRunOptions(), RunLength(2, 8), 0.1, 1, first_step=2 * first_epoch)
    score = score or keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(score=scores[epoch - first_epoch])
    )
    model.fit(
        np.ones((2, 2)),
        np.ones((2, 1)),
        batch_size=1,
        initial_epoch=first_epoch,
        epochs=first_epoch + len(scores),
        callbacks=[score, SaveRun(run, "score", CLASSIFIER_PANELS)],
        verbose=0,
    )


@pytest.mark.parametrize("torn", ['{"epoch": 2, "st', '{"epoch": 2, "step": 4, "score": 0.9'])
def test_better_epoch_in_a_line_behind_a_torn_one_keeps_its_checkpoint(tmp_path, torn):
    train(tmp_path, [0.5, 0.75])
    log = tmp_path / LOG_NAME
    first, second = log.read_text().splitlines()
    # As a version wrote it that did not look for the end of the line.
    log.write_text(f"{first}\n{torn}{second}\n")
    train(tmp_path, [0.625], first_epoch=2)
    assert read_training_state(tmp_path / "best.keras").step == 4
    assert read_training_state(tmp_path / "model.keras").step == 6
    train(tmp_path, [0.875], first_epoch=3)
    assert read_training_state(tmp_path / "best.keras").step == 8


def test_epoch_that_was_cut_off_in_its_line_is_logged_again_on_a_line_of_its_own(tmp_path):
    train(tmp_path, [0.5])
    log = tmp_path / LOG_NAME
    log.write_text(log.read_text() + '{"epoch": 2, "step"')
    train(tmp_path, [0.75], first_epoch=1)
    lines = log.read_text().splitlines()
    assert [json.loads(line)["step"] for line in (lines[0], lines[2])] == [2, 4]
    assert read_training_state(tmp_path / "best.keras").step == 4


def test_weights_that_the_last_step_ruined_never_replace_good_ones(tmp_path):
    train(tmp_path, [0.5])
    before = (tmp_path / "model.keras").read_bytes()

    def ruin(epoch, logs):
        logs.update(score=1.0)
        score.model.layers[0].kernel.assign([[np.nan], [1.0]])

    score = keras.callbacks.LambdaCallback(on_epoch_end=ruin)
    with pytest.raises(NonFiniteLossError) as caught:
        train(tmp_path, [0.75], first_epoch=1, score=score)
    assert "step 4 has weights that are not finite" in str(caught.value)
    assert "kernel (1 of 2); the last good checkpoint is" in str(caught.value)
    assert (tmp_path / "model.keras").read_bytes() == before
    assert read_training_state(tmp_path / "best.keras").step == 2
