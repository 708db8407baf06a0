"""The original detectors with the golden weights: their numbers, part by part."""

import pytest

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.weights.detector_checkpoint import assign_detector
from nasnet_keras.detection.weights.detector_names import detector_variables
from tests.golden_detector import (
    CONFIGS,
    LIMITS,
    differences,
    golden_arrays,
    golden_config,
    golden_shapes,
)


@pytest.mark.parametrize("tag", CONFIGS)
def test_the_original_detectors_numbers(tag: str) -> None:
    detector = FasterRCNN(golden_config(tag), seed=0)
    variables = detector_variables(detector)
    assert {name: tuple(v.shape) for name, v in variables.items()} == golden_shapes(tag)
    assign_detector(detector, golden_arrays(tag), "the original")
    found = differences(detector, tag)
    assert {name: value for name, value in found.items() if value > LIMITS[name]} == {}
