"""Digits in 8 bits: as good as in float, saved by a few layers in float, or refused."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from nasnet_keras.export.quantization import check_quantization, quantize
from tests.export.quantization.small_network import (
    POINTWISE,
    network,
    pictures,
    trained_weights,
    with_one_loud_channel,
)

pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written by TensorFlow"),
]
LIBRARIES = {
    "onnx": "onnxruntime",
    "openvino": "nncf",
    "litert": "ai_edge_litert",
    "litert_dynamic": "ai_edge_litert",
}
CALIBRATED = ("onnx", "openvino", "litert")


def quantized(file_format, weights, given=None, **arguments):
    pytest.importorskip(LIBRARIES[file_format])
    return quantize(file_format, network(file_format, weights), given or pictures(), **arguments)


@pytest.mark.parametrize("file_format", LIBRARIES)
def test_a_network_is_as_good_in_8_bits_and_all_of_it_has_them(file_format):
    found = quantized(file_format, trained_weights())
    assert found.float_accuracy.fraction > 0.9
    assert found.accuracy.points_below(found.float_accuracy) <= 1
    assert found.accuracy.pictures == 360
    assert found.kept == ()
    assert "in float;" not in str(found)
    if isinstance(found.model, bytes):
        assert b"TFL3" in found.model[:8]


@pytest.mark.parametrize("file_format", CALIBRATED)
def test_layers_around_a_loud_channel_stay_in_float(file_format):
    found = quantized(file_format, with_one_loud_channel(trained_weights()))
    assert found.accuracy.points_below(found.float_accuracy) <= 1
    assert len(found.kept) == 2 and found.layers == 8
    assert found.what_was_kept == "the 2 layers with the largest errors"
    assert "the 2 layers with the largest errors stayed in float (2 of 8)" in str(found)
    if file_format != "litert":
        assert set(found.kept) == {POINTWISE[1], POINTWISE[2]}


@pytest.mark.parametrize("file_format", CALIBRATED)
def test_what_calibration_destroys_is_refused_with_its_figure(file_format):
    given = pictures()
    # All ranges are those of one grey picture.
    black = replace(given, calibration=np.zeros_like(given.calibration))
    with pytest.raises(ValueError, match=r"8 bits lose (\d+\.\d\d) points of accuracy") as caught:
        quantized(file_format, trained_weights(), black)
    message = str(caught.value)
    assert "at most 1 may be lost" in message and "held-out pictures right in float" in message
    assert "\n" not in message


def test_more_may_be_lost_where_that_is_asked_for():
    given = pictures()
    black = replace(given, calibration=np.zeros_like(given.calibration))
    found = quantized("onnx", trained_weights(), black, max_accuracy_loss=100.0)
    assert found.accuracy.points_below(found.float_accuracy) > 1


def test_an_unknown_format_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'openvino'"):
        check_quantization("openvin")


def test_a_missing_library_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'nasnet-keras\[quantization\]'"):
        check_quantization("openvino")
