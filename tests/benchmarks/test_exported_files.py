"""The benchmark of exported files: what it compares, and how it counts."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def exported_files(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in ("measurement", "exported_files"):
        specification = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        assert specification and specification.loader
        module = importlib.util.module_from_spec(specification)
        monkeypatch.setitem(sys.modules, name, module)
        specification.loader.exec_module(module)
    return module


def test_answers_of_a_random_network_are_spread(exported_files: ModuleType) -> None:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(7, "softmax")(x))
    model.layers[-1].kernel.assign(50 * model.layers[-1].kernel)
    images = exported_files.spread_answers(model, 8)
    logits = np.log(np.asarray(model(images, training=False)))
    assert logits.std(axis=1).mean() == pytest.approx(1, abs=1e-3)
    assert -1 <= images.min() < images.max() <= 1


def test_ratio_is_the_median_of_the_rounds(exported_files: ModuleType) -> None:
    # The medians of the times would give 0.1.
    row = exported_files.row_of("onnx", 1, 1, [(10.0, 2.0), (20.0, 1.0), (30.0, 9.0)], 0.7)
    assert (row["theirs_ms"], row["ours_ms"], row["ratio"]) == (20.0, 2.0, 0.2)


def test_size_counts_all_files_of_a_format(exported_files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "saved_model").mkdir()
    for name, size in {"a.xml": 1000, "a.bin": 9000, "saved_model/b": 5000}.items():
        (tmp_path / name).write_bytes(bytes(size))
    assert exported_files.megabytes(tmp_path / "a.xml") == 0.01
    assert exported_files.megabytes(tmp_path / "saved_model") == 0.005
