"""The optimizer is what the configuration says."""

from nasnet_keras.detection import TrainingConfig, make_optimizer
from tests.detection_network import tiny_config


def test_the_optimizer_follows_the_configuration() -> None:
    config = TrainingConfig(
        "tiny", tiny_config(), 30, learning_rate=0.5, learning_rate_boundaries=(10, 20)
    )
    optimizer = make_optimizer(config)
    schedule = optimizer._learning_rate
    assert [round(float(schedule(step)), 6) for step in (0, 10, 11, 21)] == [0.5, 0.5, 0.05, 0.005]
    assert (optimizer.momentum, optimizer.clipnorm) == (0.9, 10.0)
