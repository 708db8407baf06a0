"""A classifier in every format answers as the network, or is not written."""

import os
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from nasnet_keras.export.classifier_check import LIMITS, check_comparable, compare_answers
from nasnet_keras.export.classifier_formats import export_classifier
from nasnet_keras.export.description import read_description
from nasnet_keras.export.float32_network import float32_network
from nasnet_keras.export.network_kind import check_is_classifier, check_is_detector
from nasnet_keras.export.runtimes import litert_interpreter

for module in ("tensorflow", "onnx", "onnxruntime", "openvino"):
    pytest.importorskip(module)
FORMATS = ("onnx", "openvino", "litert")
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
PATHS = {"onnx": "model.onnx", "openvino": "model.xml", "litert": "model.tflite"}
PATHS["saved_model"] = "saved_model"


def names(directory):
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


@pytest.mark.parametrize("inside", [False, True])
def test_every_file_answers_as_the_network_and_says_what_it_is(trained, pictures, tmp_path, inside):
    formats = [*FORMATS, *(["saved_model"] if ON_TENSORFLOW else [])]
    if inside and not ON_TENSORFLOW:
        formats.remove("litert")
    known = {"accuracy": 0.5, "scored_on": "a test"}
    found = export_classifier(
        trained, tmp_path, formats, [*pictures, pictures[0, :9, :11]], known=known,
        preprocessing_inside=inside,
    )  # fmt: skip
    assert list(found) == formats
    for name, exported in found.items():
        assert exported.comparison.agrees(LIMITS["float32"]) and exported.comparison.pictures == 3
        description = read_description(tmp_path / PATHS[name])
        assert description.class_names == trained.class_names
        assert (description.accuracy, description.preprocessing_inside) == (0.5, inside)
    assert len(names(tmp_path)) == len(formats) + 1  # OpenVINO has two files.


@pytest.mark.parametrize(("name", "precision"), [("onnx", "float16"), ("openvino", "float16")])
def test_half_the_bits_are_less_space_and_near_the_network(
    trained, pictures, tmp_path, name, precision
):
    export_classifier(trained, tmp_path / "whole", [name], pictures)
    found = export_classifier(trained, tmp_path / "half", [name], pictures, precision)
    assert found[name].comparison.probability_difference < LIMITS[precision].probability
    assert read_description(tmp_path / "half" / PATHS[name]).precision == precision
    whole, half = (
        sum(path.stat().st_size for path in (tmp_path / each).iterdir() if path.suffix != ".xml")
        for each in ("whole", "half")
    )
    assert half < 0.9 * whole


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_differs_is_not_written_and_the_old_one_stays(
    trained, pictures, tmp_path, name, monkeypatch
):
    export_classifier(trained, tmp_path, [name], pictures)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(
        "nasnet_keras.export.classifier_formats.open_runtime",
        lambda *_: (
            lambda images: {
                each: np.full((len(images), 7), 0.2, "float32")
                for each in ("logits", "probabilities")
            }
        ),
    )
    assert len(trained.class_names) == 7
    with pytest.raises(ValueError, match=f"{name} in float32 differs from the network .2 pictures"):
        export_classifier(trained, tmp_path, [name], pictures, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_graph_never_stands_beside_the_weights_of_another_export(
    trained, pictures, tmp_path, monkeypatch
):
    export_classifier(trained, tmp_path, ["openvino"], pictures)
    weights = (tmp_path / "model.bin").read_bytes()
    replace_file = os.replace

    def killed_before_the_graph(source, target):
        if str(target).endswith(".xml"):
            raise KeyboardInterrupt
        replace_file(source, target)

    monkeypatch.setattr("nasnet_keras.files.atomic_files.os.replace", killed_before_the_graph)
    with pytest.raises(KeyboardInterrupt):
        export_classifier(trained, tmp_path, ["openvino"], pictures, "float16", overwrite=True)
    assert (tmp_path / "model.bin").read_bytes() != weights
    assert not (tmp_path / "model.xml").exists()


def test_a_saturated_network_hides_differences_and_is_refused(trained, pictures, tmp_path):
    model = keras.models.clone_model(trained.model)
    model.set_weights(trained.model.get_weights())
    for weight in model.weights:
        if weight.path == "final_layer/FC/kernel":
            weight.assign(weight * 1e4)
    with pytest.raises(ValueError, match="one class all probability in every picture"):
        export_classifier(replace(trained, model=model), tmp_path / "out", ["onnx"], pictures)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_exported_is_refused_before_any_work(
    trained, pictures, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    (tmp_path / "model.onnx").write_text("precious")
    for arguments, message in (
        ((tmp_path, ["onxx"]), "unknown format 'onxx'; did you mean 'onnx'"),
        ((tmp_path, []), "no format given"),
        ((tmp_path, ["onnx"]), "model.onnx is there already"),
        ((tmp_path / "file", ["onnx"]), "is a file, not a directory"),
        ((tmp_path / "new", ["litert"], "bfloat16"), "litert has no bfloat16: it is written in"),
        ((tmp_path / "new", ["onnx"], "int8"), "int8 needs pictures"),
    ):
        target, formats, *precision = arguments
        with pytest.raises((ValueError, OSError), match=message):
            export_classifier(trained, target, formats, pictures, *precision)
    with pytest.raises(ValueError, match="there is no picture to compare on"):
        export_classifier(trained, tmp_path / "new", ["onnx"], [])
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ValueError, match="OpenVINO needs openvino: pip install"):
        export_classifier(trained, tmp_path / "new", ["openvino"], pictures)
    assert names(tmp_path) == ["file", "model.onnx"]
    assert (tmp_path / "model.onnx").read_text() == "precious"


def test_a_change_of_the_best_class_and_no_number_are_differences():
    ours = {"logits": np.array([[2.0, 1.0]]), "probabilities": np.array([[0.7, 0.3]])}
    swapped = {name: values[:, ::-1] for name, values in ours.items()}
    found = compare_answers(ours, swapped)
    assert found.changed == 1
    np.testing.assert_allclose([found.probability_difference, found.lead], 0.4)
    assert found.logit_difference == 0.5
    for precision, limits in LIMITS.items():
        assert found.agrees(limits) == (precision == "int8")
        nothing = {name: values * np.nan for name, values in ours.items()}
        assert not compare_answers(ours, nothing).agrees(limits)
        assert compare_answers(ours, ours).agrees(limits)
    with pytest.raises(ValueError, match="not finite"):
        check_comparable(nothing)


def test_a_network_trained_in_mixed_precision_is_computed_in_float32():
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(2, dtype="mixed_bfloat16")(inputs)
    network = keras.Model(inputs, outputs)
    copy = float32_network(network)
    x = np.array([[1.0, 1 / 3, 1 / 7]], "float32")
    kernel, bias = network.get_weights()
    np.testing.assert_allclose(np.asarray(copy(x)), x @ kernel + bias, rtol=1e-5)
    assert float32_network(copy) is copy


def test_either_library_runs_litert(monkeypatch):
    pytest.importorskip("ai_edge_litert")
    assert litert_interpreter().__module__.startswith("ai_edge_litert")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    assert litert_interpreter().__module__.startswith("tensorflow")


def test_a_classifier_is_no_detector_and_the_reverse(trained, tmp_path):
    trained.model.save(tmp_path / "model.keras")
    check_is_classifier(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="is no detector: `nasnet-keras export` writes class"):
        check_is_detector(tmp_path)
    with pytest.raises(ValueError, match="is a detector: `nasnet-keras detect export` writes it"):
        check_is_classifier("coco:nasnet_large_1200")
    check_is_detector("coco:nasnet_large_1200")
