"""A classifier in 8 bits by its program: calibrated on a folder, scored, written or refused."""

import keras
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow")
pytest.importorskip("onnxruntime")

import nasnet_keras as nk
from nasnet_keras.classification import get_recipe
from nasnet_keras.classification.run_config import RunConfig
from nasnet_keras.classification.trainer import build_training_network
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.sources.registry import load_dataset
from nasnet_keras.export.description import read_description
from nasnet_keras.programs import export_classifier
from nasnet_keras.programs.errors import USAGE_ERROR, reported
from nasnet_keras.training.run_directory import write_config

RECIPE = get_recipe("digits").override(
    num_cells=2,
    filters=4,
    stem_filters=4,
    auxiliary_weight=0.0,
    evaluation_split_name="test[:100]",
)


def export(run, output_dir, **flags):
    """Runs the program in this process: to start one for each test would take minutes."""
    flags |= {"checkpoint_path": run, "output_dir": output_dir, "precision": "int8"}
    words = (f"--{name}={value}" for name, value in flags.items())
    export_classifier.main(*export_classifier.PROGRAM.parse(*words))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose last layer is fitted by least squares, so that there is accuracy to lose."""
    directory = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    model = build_training_network(RECIPE, 10, 1)
    dataset = load_dataset("digits", "train")
    images = np.asarray(preprocess(dataset.images, "scale", 16), np.float32)
    last = next(layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense))
    pooled = keras.Model(model.input, nk.endpoints(model)["global_pool"])
    features = np.asarray(pooled(images, training=False))
    scale = features.std()
    given = np.c_[features / scale, np.ones(len(features))]
    wanted = 10 * np.eye(10)[dataset.labels]
    fitted = np.linalg.solve(given.T @ given + 1e-3 * np.eye(given.shape[1]), given.T @ wanted)
    last.set_weights([fitted[:-1] / scale, fitted[-1]])
    model.save(directory / "model.keras")
    write_config(RunConfig(RECIPE, tuple("0123456789")), directory)
    return directory


def write_pictures(folder, images):
    folder.mkdir()
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_every_file_has_8_bits_and_says_its_accuracy(run, tmp_path, capsys):
    onnx = pytest.importorskip("onnx")
    for module in ("nncf", "ai_edge_litert"):
        pytest.importorskip(module)
    digits = write_pictures(tmp_path / "digits", load_dataset("digits", "train").images[:64])
    export(
        *(run, tmp_path / "out"),
        format="onnx,openvino,litert",
        calibration_dir=digits,
        max_accuracy_loss=20,
    )
    weights = {}
    for each in onnx.load(tmp_path / "out" / "model.onnx").graph.initializer:
        if len(each.dims) > 1:
            weights[each.data_type] = weights.get(each.data_type, 0) + int(np.prod(each.dims))
    assert weights[onnx.TensorProto.INT8] > 0.9 * sum(weights.values())
    said = capsys.readouterr().out
    for name in ("model.onnx", "model.xml", "model.tflite"):
        found = read_description(tmp_path / "out" / name)
        assert found.precision == "int8"
        assert found.scored_on == "digits, 100 held-out pictures"
        assert found.accuracy > 0.3 and found.accuracy_of_file > found.accuracy - 0.2
        right = f"{found.accuracy_of_file:.2%} of 100 held-out pictures right"
        assert f"{right}, {found.accuracy:.2%} in float" in said


def test_a_loss_above_the_limit_is_one_line_and_nothing_is_written(run, tmp_path, capsys):
    grey = write_pictures(tmp_path / "grey", np.full((32, 8, 8, 3), 127, np.uint8))
    with pytest.raises(SystemExit) as ended, reported():
        export(run, tmp_path / "out", format="onnx", calibration_dir=grey, max_accuracy_loss=1)
    line = capsys.readouterr().err
    assert ended.value.code == USAGE_ERROR
    assert line.startswith("error: 8 bits lose ") and line.count("\n") == 1
    assert "at most 1 may be lost (max_accuracy_loss); nothing was written" in line
    assert not (tmp_path / "out").exists()
