"""Drop path: the three schedules, the mask, and the counter that lives in the model."""

from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.layers import DropPath, DropPathSchedule

TOTAL, P, CELL, CELLS = 100, 0.6, 4, 20


@pytest.mark.parametrize("step", [0, 30, 100, 250])
@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_keep_probability_follows_the_schedule(version: str, step: int) -> None:
    layer = DropPath(P, version, TOTAL, CELL, CELLS)
    t, share = min(1.0, step / TOTAL), (CELL + 1) / CELLS
    wanted = {
        "v1": 1 - t * (1 - P),
        "v2": 1 - share * (1 - P),
        "v3": 1 - t * share * (1 - P),
    }[version]
    keep = float(layer.current_keep_probability(keras.ops.convert_to_tensor(step, "int32")))
    assert keep == pytest.approx(wanted, abs=1e-7)


def test_whole_examples_are_dropped_and_the_others_scaled() -> None:
    layer = DropPath(P, "v1", TOTAL, seed=5)
    x = np.ones((4000, 2, 2, 3), "float32")
    result = keras.ops.convert_to_numpy(layer(x, step=TOTAL, training=True))
    per_example = result.reshape(4000, -1)
    assert (per_example == per_example[:, :1]).all()
    assert set(np.round(np.unique(per_example), 5)) == {0.0, np.float32(round(1 / P, 5))}
    assert per_example[:, 0].mean() == pytest.approx(1.0, abs=0.05)
    again = keras.ops.convert_to_numpy(layer(x, step=TOTAL, training=True))
    assert (again != result).any()


def test_nothing_is_dropped_at_inference_or_at_the_first_step() -> None:
    layer = DropPath(P, "v3", TOTAL, CELL, CELLS)
    x = np.ones((64, 1, 1, 2), "float32")
    for settings in ({"training": False, "step": TOTAL}, {"training": True, "step": 0}):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(x, **settings)), x)


def test_the_schedule_counts_training_calls_and_is_saved_with_the_model(tmp_path: Path) -> None:
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, DropPathSchedule(name="drop_path_schedule")(image))
    x = np.zeros((1, 2, 2, 1), "float32")
    seen = [int(model(x, training=training)) for training in (True, False, True, True, False)]
    assert seen == [0, 1, 1, 2, 3]
    model.save(tmp_path / "model.keras")
    assert int(keras.saving.load_model(tmp_path / "model.keras")(x)) == 3


def test_masks_go_on_after_saving(tmp_path: Path) -> None:
    image = keras.Input((1, 1, 1))
    model = keras.Model(image, DropPath(0.5, "v2")(image))
    x = np.ones((256, 1, 1, 1), "float32")

    def draw(network: keras.Model) -> np.ndarray:
        return keras.ops.convert_to_numpy(network(x, training=True))

    first = draw(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    second = draw(model)
    assert (first != second).any()
    np.testing.assert_array_equal(draw(loaded), second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "keep_probability is in"),
        ((0.6, "v4", 10), "unknown drop path version 'v4'"),
        ((0.6, "v3"), "needs total_steps > 0"),
    ],
)
def test_bad_values_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DropPath(*arguments)
