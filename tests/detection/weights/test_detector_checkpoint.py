"""The original's detectors: every array in its place, or nothing changed and one line."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.detection.weights.detector_names import checkpoint_name, detector_variables
from tests.detection_network import as_numpy, tiny_config
from tests.golden_detector import golden_value
from tests.weights.checkpoints import write_checkpoint, write_frozen_graph

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def detector() -> nk.FasterRCNN:
    return nk.FasterRCNN(tiny_config())


@pytest.fixture(scope="module")
def values(detector: nk.FasterRCNN) -> dict[str, np.ndarray]:
    """What a checkpoint of the same detector holds."""
    variables = detector_variables(detector)
    return {name: golden_value(name, tuple(v.shape)) for name, v in variables.items()}


def held(detector: nk.FasterRCNN) -> dict[str, np.ndarray]:
    variables = detector_variables(detector)
    return {name: as_numpy(variable) for name, variable in variables.items()}


def scramble(detector: nk.FasterRCNN) -> dict[str, np.ndarray]:
    for variable in detector_variables(detector).values():
        variable.assign(np.full(variable.shape, 0.25))
    return held(detector)


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("conv0/kernel", "FirstStageFeatureExtractor/conv0/weights"),
        (
            "cell_1/comb_iter_0/left/separable_3x3_1/pointwise_kernel",
            "FirstStageFeatureExtractor/cell_1/comb_iter_0/left/separable_3x3_1/pointwise_weights",
        ),
        ("cell_12/prev_bn/gamma", "SecondStageFeatureExtractor/cell_12/prev_bn/gamma"),
        ("region_head/conv/bias", "Conv/biases"),
        ("region_head/boxes/kernel", "FirstStageBoxPredictor/BoxEncodingPredictor/weights"),
        ("region_head/logits/bias", "FirstStageBoxPredictor/ClassPredictor/biases"),
        ("box_head/boxes/bias", "SecondStageBoxPredictor/BoxEncodingPredictor/biases"),
        ("box_head/logits/kernel", "SecondStageBoxPredictor/ClassPredictor/weights"),
    ],
)
def test_names_are_the_originals(path: str, name: str) -> None:
    assert checkpoint_name(path, ["reduction_cell_1", "cell_12"]) == name


@pytest.mark.parametrize(
    "kind", ["prefix", "index", "directory", "graph", "graph's directory", "graph's archive"]
)
def test_every_value_arrives(
    kind: str, detector: nk.FasterRCNN, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    if kind.startswith("graph"):
        path = write_frozen_graph(tmp_path / "frozen_inference_graph.pb", values)
        source = path if kind == "graph" else tmp_path
        if kind == "graph's archive":
            source = tmp_path / "detector.tar.gz"
            with tarfile.open(source, "w:gz") as tar:
                tar.add(path, "detector/frozen_inference_graph.pb")
                tar.addfile(tarfile.TarInfo("detector/pipeline.config"))
        ignored = 0
    else:
        slots = {
            "global_step": np.int64(7),
            "Conv/weights/Momentum": values["Conv/weights"],
            "Conv/weights/ExponentialMovingAverage": values["Conv/weights"] + 1,
        }
        prefix = write_checkpoint(tmp_path / "model.ckpt", values | slots)
        # What an archive has: a line that names a directory of its maker.
        (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/their/model.ckpt-9"\n')
        source = {"prefix": prefix, "index": f"{prefix}.index", "directory": tmp_path}[kind]
        ignored = 3
    scramble(detector)
    report = nk.load_detector_checkpoint(detector, source)
    assert same(held(detector), values)
    assert len(report.assigned) == len(values) == len(detector.weights)
    assert report.parameters == detector.count_params()
    assert (len(report.ignored), report.kept, report.skipped) == (ignored, (), ())


def test_a_checkpoint_is_written_as_the_original_has_it(
    detector: nk.FasterRCNN, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    nk.load_detector_checkpoint(detector, write_checkpoint(tmp_path / "theirs", values))
    prefix = nk.save_detector_checkpoint(detector, tmp_path / "ours", global_step=9)
    reader = tf.train.load_checkpoint(prefix)
    assert set(reader.get_variable_to_shape_map()) == {*values, "global_step"}
    assert reader.get_tensor("global_step") == 9
    assert all(np.array_equal(reader.get_tensor(name), value) for name, value in values.items())


def test_a_head_for_other_classes_is_left_as_it_is(
    values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    prefix = write_checkpoint(tmp_path / "model.ckpt", values)
    detector = nk.FasterRCNN(tiny_config(classes=2))
    before = scramble(detector)
    message = r"has 3 classes and the detector 2: .*classes=3.*exclude_scopes=\['box_head'\]"
    with pytest.raises(ValueError, match=message):
        nk.load_detector_checkpoint(detector, prefix)
    assert same(held(detector), before)
    report = nk.load_detector_checkpoint(detector, prefix, exclude_scopes=["box_head"])
    head = {name for name in before if name.startswith("SecondStageBoxPredictor/")}
    assert len(head) == len(report.kept) == len(report.skipped) == 4
    found = held(detector)
    assert same(found, {name: before[name] for name in head})
    assert same(found, {name: value for name, value in values.items() if name not in head})


def without(values: dict[str, np.ndarray], *names: str) -> dict[str, np.ndarray]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: without(v, "Conv/biases"), "1 missing in it: Conv/biases"),
        (lambda v: v | {"Conv2/biases": v["Conv/biases"]}, "1 left over in it: Conv2/biases"),
        (
            lambda v: v | {"Conv/biases": np.zeros(5, "float32")},
            r"1 of another shape: Conv/biases \(5,\) instead of \(16,\)",
        ),
        (
            lambda v: {"final_layer/FC/biases": np.zeros(10, "float32")},
            r"holds a classifier, not a detector: nk.load_slim_checkpoint\(detector.network",
        ),
        (
            lambda v: {
                "FeatureExtractor/InceptionV2/weights": np.zeros(3, "float32"),
                "BoxPredictor_0/ClassPredictor/biases": np.zeros(3, "float32"),
            },
            "holds no Faster R-CNN .*its scopes: BoxPredictor_0, FeatureExtractor",
        ),
    ],
)
@pytest.mark.parametrize(
    ("write", "file"), [(write_checkpoint, "model.ckpt"), (write_frozen_graph, "graph.pb")]
)
def test_what_does_not_fit_is_one_line_and_changes_nothing(
    change: Any,
    message: str,
    write: Any,
    file: str,
    detector: nk.FasterRCNN,
    values: dict[str, np.ndarray],
    tmp_path: Path,
) -> None:
    path = write(tmp_path / file, change(values))
    before = scramble(detector)
    with pytest.raises(ValueError, match=message) as error:
        nk.load_detector_checkpoint(detector, path)
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
    assert same(held(detector), before)


@pytest.mark.parametrize("kept", [0, 10, 1000, 0.5, -3])
def test_a_truncated_graph_is_one_line_and_changes_nothing(
    kept: float, detector: nk.FasterRCNN, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = Path(write_frozen_graph(tmp_path / "frozen_inference_graph.pb", values))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else int(kept)])
    before = scramble(detector)
    with pytest.raises(ValueError, match="graph") as error:
        nk.load_detector_checkpoint(detector, path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert same(held(detector), before)


def test_a_classifier_does_not_take_a_detectors_checkpoint(
    values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    prefix = write_checkpoint(tmp_path / "model.ckpt", values)
    network = nk.create_model("nasnet_cifar", num_cells=3, filters=4)
    with pytest.raises(ValueError, match="holds a detector.*nk.load_detector_checkpoint"):
        nk.load_slim_checkpoint(network, prefix)
    with pytest.raises(ValueError, match="load_detector_checkpoint is for a FasterRCNN"):
        nk.load_detector_checkpoint(network, prefix)  # type: ignore[arg-type]


def test_a_detector_by_name_has_the_classes_of_its_weights(
    values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    configuration = nk.detection.get_config("toy").to_dict()
    configuration["detector"] = tiny_config(classes=7).to_dict()
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(configuration))
    prefix = write_checkpoint(tmp_path / "model.ckpt", values)
    detector = nk.create_detector(str(file), weights=prefix, evaluation_proposals=5)
    assert (detector.config.classes, detector.config.evaluation_proposals) == (3, 5)
    assert same(held(detector), values)
    assert nk.create_detector(str(file), classes=1).config.detections == 4
    with pytest.raises(ValueError, match="has 3 classes and the detector 5"):
        nk.create_detector(str(file), weights=prefix, classes=5)
    with pytest.raises(ValueError, match="unknown detector setting 'clases'; did you mean"):
        nk.create_detector(str(file), clases=5)
    with pytest.raises(ValueError, match="unknown detector setting 'steps'"):
        nk.create_detector(str(file), steps=5)
    with pytest.raises(ValueError, match="did you mean 'nasnet_large_1200'"):
        nk.create_detector("nasnet_large_120")
