"""Settings of a controller that cannot be."""

import dataclasses

import pytest

from nasnet_keras.search import (
    PPO,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "pppo"}, "did you mean 'ppo'"),
        ({"units": ()}, "at least one LSTM layer"),
        ({"units": (0,)}, "units is whole numbers of at least 1, got (0,)"),
        ({"units": 100}, "units is whole numbers of at least 1, got 100"),
        ({"units": "100,100"}, "units is whole numbers of at least 1, got '100,100'"),
        ({"batch_size": 0}, "batch_size is a whole number of at least 1, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate is a number above 0, got nan"),
        ({"learning_rate": "abc"}, "learning_rate is a number above 0, got 'abc'"),
        ({"clip": 10**400}, "clip is a number above 0, got 1000"),
        ({"initial_scale": True}, "initial_scale is a number above 0, got True"),
        ({"per_decision": "maybe"}, "per_decision is true or false, got 'maybe'"),
        ({"entropy_weight": "abc"}, "entropy_weight is a number of at least 0, got 'abc'"),
        ({"baseline_decay": None}, "baseline_decay is a number in [0, 1), got None"),
        ({"entropy_weight": -1.0}, "entropy_weight is a number of at least 0"),
        ({"baseline_decay": 1.0}, "baseline_decay is a number in [0, 1), got 1.0"),
        ({"algorithm": "reinforce"}, "REINFORCE makes one step"),
    ],
)
def test_bad_settings_are_named(change: dict, message: str) -> None:
    with pytest.raises(ValueError) as error:
        dataclasses.replace(PPO, **change)
    assert message in str(error.value)
