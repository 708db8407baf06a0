"""A configuration is checked as a whole before anything is built."""

import json

import pytest

import nasnet_keras as nk
from nasnet_keras.detection import DetectorConfig
from tests.detection_network import tiny_config


def test_defaults_are_the_papers() -> None:
    config = DetectorConfig("nasnet_large")
    assert config.network == nk.get_preset("nasnet_large").config
    assert len(config.anchor_sizes()) == 12
    assert config.anchor_sizes()[7] == (512, 512)
    assert (config.training_proposals, config.box_batch_size, config.crop_size) == (500, 64, 17)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"training_proposals": 7}, "training_proposals=7 is below .* box_batch_size=8"),
        ({"crop_size": 1}, "crop_size=1 is too small: reduction_cell_1 has 1 of the 2"),
        ({"anchor_base_size": 512.0}, "no anchor lies within an image of 64x64 .* 256x256"),
        ({"anchor_stride": 8}, "anchor_stride=8, but the network's features have stride 16"),
        ({"image_size": (8, 64)}, "input of 8x64 pixels is too small"),
        ({"detections": 50}, "detections=50 is above the 12 that 3 classes"),
        ({"region_negative_iou": 0.8}, "an anchor would be both"),
        ({"box_scales": (1, 2, 3)}, "box_scales is 4 numbers above 0"),
        ({"anchor_scales": ()}, "anchor_scales is one or more numbers"),
        ({"classes": True}, "classes is a whole number of at least 1, got True"),
        ({"crops_per_chunk": 0}, "crops_per_chunk is a whole number of at least 1 or None"),
        ({"region_nms_iou": 1.5}, r"region_nms_iou is a number in \[0, 1\], got 1.5"),
        ({"huber_delta": float("nan")}, "huber_delta is a number above 0, got nan"),
        ({"crop_sizes": 5}, "unknown detector setting 'crop_sizes'; did you mean 'crop_size'?"),
    ],
)
def test_contradictions_are_named(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny_config().replace(**overrides)


def test_a_network_of_another_stride_or_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="use stem='imagenet'"):
        DetectorConfig("nasnet_cifar")
    with pytest.raises(ValueError, match="did you mean 'nasnet_mobile'"):
        DetectorConfig("nasnet_mobil")
    with pytest.raises(ValueError, match="'network' is missing"):
        DetectorConfig.from_dict({"classes": 3})


def test_it_survives_json() -> None:
    config = tiny_config({"dropout": 0.3})
    assert DetectorConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
