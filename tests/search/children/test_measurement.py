"""The latency and memory of a network."""

import sys

import pytest

import nasnet_keras as nk
from nasnet_keras.search.children.measurement import check_measured_by, measure, measured_by


def network(filters: int, num_cells: int = 2):
    return nk.create_model(
        "pnasnet_cifar", num_cells=num_cells, filters=filters, input_shape=(16, 16, 3)
    )


def test_a_larger_network_takes_more_time_and_memory() -> None:
    pytest.importorskip("onnxruntime")
    small, large = (measure(network(*sizes), "onnx", 5) for sizes in ((2,), (64, 6)))
    assert 0 < 2 * small["latency_ms"] < large["latency_ms"]
    # At least its weights; what loading takes besides depends on versions.
    weights = 4 * network(64, 6).count_params()
    assert large["peak_bytes"] > weights
    assert 0 < small["peak_bytes"] < large["peak_bytes"] - weights / 2
    assert set(measure(network(2), "process", 1)) == {"latency_ms"}


def test_a_search_is_measured_as_it_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    assert measured_by(None) == "onnx"
    # Before there was another way.
    assert measured_by({"latency_runs": 5}) == "wall_clock"
    with pytest.raises(ValueError, match="unknown child.measured_by 'onx'; did you mean 'onnx'"):
        measured_by({"measured_by": "onx"})
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert measured_by(None) == "process"
    assert measured_by({"measured_by": "onnx"}) == "onnx"
    with pytest.raises(ValueError, match="pip install 'nasnet-keras"):
        check_measured_by("onnx")
    with pytest.raises(ValueError, match="memory is measured on Linux"):
        check_measured_by("process", memory=True)
