"""The benchmark of exported files: what it compares, and how it counts."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver


@pytest.fixture
def exported_files() -> ModuleType:
    return importlib.import_module("exported_files")


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


def test_files_of_both_run_side_by_side_and_rows_are_kept(
    exported_files: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in ("tf2onnx", "onnxruntime", "tensorflow", "openvino", "nncf"):
        pytest.importorskip(module)
    monkeypatch.setattr(
        exported_files, "child", lambda does, **case: exported_files.CHILDREN[does](**case)
    )
    output = tmp_path / "rows.json"
    with flagsaver.flagsaver():
        flags.FLAGS(
            [
                *("exported_files", "--network=tiny", "--rounds=1"),
                "--formats=onnx,onnx_int8,openvino_int8",
                *("--batch_sizes=2", "--threads=1", f"--output={output}"),
            ]
        )
        exported_files.main([])
    printed = [row.split("|")[1:4] for row in capsys.readouterr().out.splitlines() if "|" in row]
    formats = ["onnx", "onnx_int8", "openvino_int8"]
    assert printed[2:-1] == [[f" {name} ", " 1 ", " 2 "] for name in formats]
    assert printed[-1][0].startswith(" best: ")
    exported, row, *in_8_bits, _ = json.loads(output.read_text())["rows"]
    assert exported["formats"] == ["onnx"] and exported["seconds"] > 0
    # Theirs has as many weights; ours has channels that fill up vectors.
    assert 0.9 < row["ours_mb"] / row["theirs_mb"] < 1.3
    assert [each["goal"] for each in in_8_bits] == [None, None]
    # OpenVINO's graph, as text, is most of what is written of so small a network.
    assert in_8_bits[0]["ours_mb"] < row["ours_mb"]
