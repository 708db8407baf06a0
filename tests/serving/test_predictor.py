"""One predictor gives the same answer whatever file the network is in."""

import io
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import nasnet_keras as nk
from nasnet_keras.classification.classifier import load_classifier
from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.inference.predictor import Predictor as DetectorPredictor
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.serving import load_predictor
from tests.detection_network import tiny_batch, tiny_config
from tests.serving.colour_network import NAMES, expected_scores, picture, write_colour_network

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "saved" / "classifier_run"


def encoded(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("colours") / "model.onnx")


def test_an_onnx_file_names_the_classes_by_decreasing_score(colours):
    pixels = picture(90, 200, 120)
    found = load_predictor(colours).predict(encoded(pixels))
    assert found.names == ("green", "blue", "red") and found.labels.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.scores, expected_scores(pixels)[[1, 2, 0]], rtol=1e-5)
    assert found.size == (8, 8) and found.boxes is None
    assert load_predictor(colours, top_k=1).predict(pixels).names == ("green",)


@pytest.mark.parametrize("batch", [None, 1, 4])
def test_more_pictures_than_fit_in_a_batch_are_all_answered_in_order(batch, tmp_path):
    path = write_colour_network(tmp_path / "model.onnx", batch=batch)
    pictures = [picture(*(255 * np.eye(3, dtype=int)[i % 3]), size=(5 + i, 9)) for i in range(18)]
    found = load_predictor(path).predict_pixels(pictures)
    assert [each.names[0] for each in found] == [NAMES[i % 3] for i in range(18)]
    assert [each.size for each in found] == [(5 + i, 9) for i in range(18)]


def test_an_onnx_file_needs_neither_keras_nor_tensorflow(colours, tmp_path):
    code = """
import sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in ("nasnet_keras", "numpy", "onnxruntime", "PIL") and not (
            name.split(".")[0] in sys.stdlib_module_names
        ):
            raise ImportError(f"{name} is not installed")
sys.meta_path.insert(0, NotInstalled())
from nasnet_keras.serving import load_predictor
print(load_predictor(sys.argv[1]).predict(sys.argv[2]).names[0])
"""
    (tmp_path / "blue.png").write_bytes(encoded(picture(0, 10, 200)))
    command = [sys.executable, "-c", code, str(colours), str(tmp_path / "blue.png")]
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.stdout == "blue\n", ended.stderr[-2000:]
    # With telemetry on, ONNX Runtime keeps an identifier there.
    assert not list((tmp_path / "temporary").iterdir())


def test_a_keras_file_gives_the_classes_that_the_classifier_gives(tmp_path):
    keras.utils.set_random_seed(0)
    model = nk.create_model("nasnet_cifar", num_cells=2, filters=2, stem_filters=4)
    model.save(tmp_path / "model.keras")
    image = encoded(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    expected = load_classifier(tmp_path / "model.keras", 4).classify(image)
    found = load_predictor(tmp_path / "model.keras", top_k=4).predict(image)
    assert list(found.names) == [name for name, _ in expected]
    np.testing.assert_allclose(found.scores, [score for _, score in expected], rtol=1e-4)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    keras.utils.set_random_seed(4)
    model = FasterRCNN(tiny_config())
    kernel = model.box_head.logits_dense.kernel
    kernel.assign(kernel * 20.0)
    path = tmp_path_factory.mktemp("detector") / "model.keras"
    model.save(path)
    return path


def test_a_detector_gives_the_boxes_that_its_own_predictor_gives(detector):
    pixels = np.repeat(tiny_batch()["images"][0], 2, 0)
    expected = DetectorPredictor(load_trained_detector(detector), 0.1).predict(pixels)
    found = load_predictor(detector, min_score=0.1).predict(pixels)
    assert len(found) and found.names == expected.names and found.size == (128, 64)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written by TensorFlow")
def test_exported_detectors_find_what_the_detector_finds(detector, tmp_path):
    from nasnet_keras.export.detector_formats import export_detector

    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    pixels = tiny_batch()["images"][0]
    served = load_trained_detector(detector, ("red", "green", "blue"))
    export_detector(served, tmp_path, ("saved_model", "onnx", "openvino", "litert"), [pixels])
    expected = DetectorPredictor(served, 0.1).predict(pixels)
    for name in ("saved_model", "detector.onnx", "detector.xml", "detector.tflite"):
        found = load_predictor(tmp_path / name, min_score=0.1).predict(pixels)
        assert found.names == expected.names
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A run's classifier in every format."""
    from nasnet_keras.classification.trained_model import load_trained_model
    from nasnet_keras.export.classifier_formats import export_classifier

    for module in ("tensorflow", "onnx", "openvino"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("exported")
    formats = ["onnx", "openvino", "litert"]
    if keras.backend.backend() == "tensorflow":
        formats.append("saved_model")
    export_classifier(load_trained_model(RUN), folder, formats, several_pictures())
    return folder


def several_pictures():
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (20 + row, 30, 3), np.uint8) for row in range(6)]


def test_exported_classifiers_answer_as_their_run_from_many_threads_at_once(exported):
    pictures = several_pictures()
    expected = load_predictor(RUN, top_k=3).predict_pixels(pictures)
    names = ["model.onnx", "model.xml", "model.tflite"]
    names += [path.name for path in exported.glob("saved_model")]
    for name in names:
        predictor = load_predictor(exported / name, top_k=3)
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(predictor.predict, 4 * pictures))
        for one, other in zip(4 * expected, found, strict=True):
            assert one.names == other.names, name
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        together = predictor.predict_pixels(pictures)
        assert [each.names for each in together] == [each.names for each in expected]


def test_exported_files_need_no_keras_and_a_missing_runtime_is_one_line(exported, tmp_path):
    pytest.importorskip("ai_edge_litert")
    code = """
import sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"{name} is not installed", name=name)
sys.meta_path.insert(0, NotInstalled())
import numpy as np
from nasnet_keras.serving import load_predictor
pixels = np.zeros((8, 8, 3), "uint8")
for path in sys.argv[2:]:
    try:
        print(load_predictor(path).predict(pixels).size)
    except ValueError as error:
        print(error)
"""
    files = [str(exported / name) for name in ("model.xml", "model.tflite")]
    for missing, lines in (
        ("keras,tensorflow,onnx,onnxruntime", ["(8, 8)"] * 2),
        (
            "keras,tensorflow,openvino,ai_edge_litert",
            [
                "OpenVINO needs openvino: pip install 'nasnet-keras[export]'",
                "LiteRT needs ai_edge_litert: pip install 'nasnet-keras[export]'",
            ],
        ),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", code, missing, *files],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert ended.stdout.splitlines() == lines, ended.stderr[-2000:]


def test_damage_to_exported_files_is_told_in_one_line(exported, tmp_path):
    for name in ("model.xml", "model.bin", "model.tflite"):
        shutil.copy(exported / name, tmp_path)
    for damaged, loaded, line in (
        ("model.bin", "model.xml", "model.xml is not a complete OpenVINO file"),
        ("model.xml", "model.xml", "model.xml is not a complete OpenVINO file"),
        ("model.tflite", "model.tflite", "model.tflite is not a complete LiteRT file"),
    ):
        content = (tmp_path / damaged).read_bytes()
        (tmp_path / damaged).write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match=line) as caught:
            load_predictor(tmp_path / loaded)
        assert "\n" not in str(caught.value).strip()
        (tmp_path / damaged).write_bytes(content)
    with pytest.raises(
        ValueError, match=r"model\.xml is an exported file: its image size is fixed"
    ):
        load_predictor(tmp_path / "model.xml", image_size=9)
    with pytest.raises(FileNotFoundError):
        load_predictor(tmp_path / "missing.tflite")


def test_what_cannot_be_loaded_is_told_in_one_line(colours, detector, tmp_path):
    bare = tmp_path / "bare" / "model.onnx"
    bare.parent.mkdir()
    onnx = pytest.importorskip("onnx")
    model = onnx.load(colours)
    del model.metadata_props[:]
    onnx.save(model, bare)
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(colours.read_bytes()[:100])
    other = write_colour_network(tmp_path / "other.onnx", outputs=("logits", "scores"))
    beside = tmp_path / "beside" / "model.onnx"
    beside.parent.mkdir()
    onnx.save(model, beside)
    (beside.parent / "detector.json").write_text(json.dumps({"class_names": ["a"]}))
    for path, options, line in (
        (bare, {}, "model.onnx has no description"),
        (cut, {}, "cut.onnx is not a complete ONNX file"),
        (other, {}, "other.onnx has other inputs or outputs than its description says"),
        (beside, {}, "detector.json is not the description of a detector: 'image_size'"),
        (colours, {"image_size": 9}, "model.onnx is an exported file: its image size is fixed"),
        (detector, {"image_size": 9}, "model.keras is a detector: its image size"),
        (colours, {"top_k": 0}, "top_k is at least 1, got 0"),
        (colours, {"min_score": 2}, r"min_score is in \[0, 1\], got 2"),
    ):
        with pytest.raises(ValueError, match=line) as caught:
            load_predictor(path, **options)
        assert "\n" not in str(caught.value).strip()
    with pytest.raises(FileNotFoundError, match="missing"):
        load_predictor(tmp_path / "missing.onnx")


def test_an_answer_that_is_not_finite_is_an_error(tmp_path):
    predictor = load_predictor(write_colour_network(tmp_path / "model.onnx", float("nan")))
    with pytest.raises(ValueError, match="numbers that are not finite"):
        predictor.predict(picture(1, 2, 3))
