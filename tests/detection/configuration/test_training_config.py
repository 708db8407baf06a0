"""Configurations of training: named, read from a file, checked as a whole."""

import json

import pytest

from nasnet_keras.detection.configuration.configs import describe_configs, get_config, list_configs
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from tests.detection_network import tiny_config


def test_named_configurations_are_the_papers() -> None:
    sides = {name: get_config(name).detector.image_size[0] for name in list_configs()}
    assert sides == {
        "nasnet_mobile_600": 600,
        "nasnet_large_800": 800,
        "nasnet_large_1200": 1200,
        "nasnet_large_1200_lowproposals": 1200,
        "pnasnet_large_1200": 1200,
        "toy": 160,
    }
    low = get_config("nasnet_large_1200_lowproposals").detector
    assert low.replace(evaluation_proposals=300) == get_config("nasnet_large_1200").detector
    assert low.evaluation_proposals == 50
    assert get_config("toy").augmentation.flip == 0
    text = describe_configs()
    assert all(f"{name}: " in text for name in list_configs()) and "43.2 mAP" in text


@pytest.mark.parametrize("name", ["toy", "nasnet_mobile_600"])
def test_a_file_holds_all_of_a_configuration(name, tmp_path) -> None:
    config = get_config(name)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(config.to_dict()))
    assert get_config(path) == config
    path.write_text(json.dumps(config.to_dict() | {"step": 3}))
    with pytest.raises(ValueError, match="did you mean 'steps'"):
        get_config(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not a training configuration: Expecting"):
        get_config(path)


def test_contradictions_and_unknown_names_are_refused() -> None:
    config = TrainingConfig("tiny", tiny_config(), steps=10)
    with pytest.raises(ValueError, match="did you mean 'nasnet_mobile_600'"):
        get_config("nasnet_mobil_600")
    with pytest.raises(ValueError, match="did you mean 'learning_rate'"):
        config.override(learning_rat=1.0)
    with pytest.raises(ValueError, match="training_proposals=4 is below"):
        config.override(training_proposals=4)
    with pytest.raises(ValueError, match="warmup_steps=10 is not below steps=10"):
        config.override(warmup_steps=10)
    with pytest.raises(ValueError, match="learning_rate_boundaries is rising steps"):
        config.override(learning_rate_boundaries=(5, 3))
    with pytest.raises(ValueError, match="steps is a whole number of at least 1, got 0"):
        config.override(steps=0)
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        config.override(optimizer="adm")
    for name in ("keep_aspect", "train_batch_norm", "propose_ground_truth"):
        with pytest.raises(ValueError, match=f"{name} is true or false, got 'false'"):
            config.override(**{name: "false"})


def test_fewer_classes_take_fewer_detections() -> None:
    config = TrainingConfig("tiny", tiny_config(), steps=10)
    assert config.detector.detections == 6
    fewer = config.override(classes=1)
    assert (fewer.detector.classes, fewer.detector.detections) == (1, 4)


def test_drop_path_is_scheduled_over_the_run() -> None:
    network = {"drop_path_keep_probability": 0.7, "drop_path_total_steps": 3}
    config = TrainingConfig("tiny", tiny_config(network), steps=10)
    assert config.detector.network.drop_path_total_steps == 10
    assert config.override(steps=20).detector.network.drop_path_total_steps == 20


def test_differences_name_what_changed() -> None:
    config = TrainingConfig("tiny", tiny_config(), steps=10)
    other = config.override(steps=12, crop_size=5)
    assert other.differences(config) == [
        "detector.crop_size was 4, now 5",
        "steps was 10, now 12",
    ]


def test_configurations_of_earlier_versions_are_read() -> None:
    config = TrainingConfig("tiny", tiny_config(), steps=10, learning_rate=0.5, momentum=0.8)
    values = config.to_dict()
    moved = ("learning_rate", "momentum", "gradient_clip_norm", "learning_rate_boundaries")
    for name in (*moved, "learning_rate_decay_factor"):
        values["detector"][name] = values.pop(name)
    values["detector"]["seed"] = None
    # One number of crops was that of detecting and of training.
    assert values["detector"].pop("training_crops_per_chunk") == 4
    assert TrainingConfig.from_dict(values) == config
