"""`object_detection/convert_checkpoint.py`: to a run and back, every value as it was."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.detection.weights.detector_names import detector_variables
from tests.detection_network import tiny_config
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_checkpoint, write_frozen_graph

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parents[2]


def convert(*flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "object_detection/convert_checkpoint.py", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_frozen_graph_becomes_a_run_and_a_checkpoint_again(tmp_path: Path) -> None:
    variables = detector_variables(nk.FasterRCNN(tiny_config()))
    values = {name: golden_value(name, tuple(v.shape)) for name, v in variables.items()}
    graph = write_frozen_graph(tmp_path / "frozen_inference_graph.pb", values)
    configuration = nk.detection.get_config("toy").to_dict()
    configuration["detector"] = tiny_config(classes=9).to_dict()
    config = tmp_path / "tiny.json"
    config.write_text(json.dumps(configuration))
    run = tmp_path / "run"
    done = convert(
        f"--config={config}",
        f"--checkpoint_path={graph}",
        f"--output_dir={run}",
        "--class_names=cat,dog,cow",
    )
    assert done.returncode == 0, done.stderr
    assert f"wrote {run}, with 3 classes" in done.stdout
    assert re.search(rf"region_head +│ +6 .*total +│ +{len(values)} ", done.stdout, re.DOTALL)
    trained = load_trained_detector(run)
    assert trained.class_names == ("cat", "dog", "cow") and trained.category_ids == (1, 2, 3)

    prefix = tmp_path / "model.ckpt"
    done = convert(f"--checkpoint_path={run}", f"--output_prefix={prefix}")
    assert done.returncode == 0, done.stderr
    reader = tf.train.load_checkpoint(str(prefix))
    assert set(reader.get_variable_to_shape_map()) == {*values, "global_step"}
    assert all(np.array_equal(reader.get_tensor(name), value) for name, value in values.items())


def test_what_does_not_fit_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    values = {"final_layer/FC/biases": np.zeros(3, "float32")}
    prefix = write_checkpoint(tmp_path / "model.ckpt", values)
    run = tmp_path / "run"
    done = convert("--config=toy", f"--checkpoint_path={prefix}", f"--output_dir={run}")
    assert done.returncode == 2 and "holds a classifier, not a detector" in done.stderr
    assert done.stderr.count("\n") == 1 and not run.exists()
    done = convert(f"--checkpoint_path={prefix}")
    assert done.returncode == 2 and "give either --output_dir" in done.stderr
