"""Each format keeps what is written into it of the network."""

import importlib.util
import json
import sys

import numpy as np
import pytest

import nasnet_keras
from nasnet_keras.export.description import (
    KEY,
    FileDescription,
    describe_litert,
    describe_onnx,
    describe_openvino,
    describe_saved_model,
    format_of,
    read_description,
)
from nasnet_keras.export.runtimes import RUNTIMES

DESCRIPTION = FileDescription(
    kind="classifier",
    network="nasnet_mobile",
    # What XML, JSON and terminals have meanings for.
    class_names=("tench", 'a "fish" & <chips>', "Zürich\n東京\x1b[0m"),
    image_size=(224, 192),
    preprocessing="inception",
    inputs=("images",),
    outputs=("logits", "probabilities"),
    accuracy=0.74,
    scored_on="imagenet, validation, 50000 images",
)
OLDER = DESCRIPTION.replace(network="another")


def onnx_file(path, describe=(OLDER, DESCRIPTION)):
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 2])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [value], [other]
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.helper.set_model_props(model, {"author": "somebody"})
    for each in describe:
        describe_onnx(model, each)
    assert model.metadata_props[0].value == "somebody"
    onnx.save(model, path)
    return path


def openvino_file(path, describe=(OLDER, DESCRIPTION)):
    openvino = pytest.importorskip("openvino")
    from openvino import opset13

    parameter = opset13.parameter([1, 2], name="x")
    model = openvino.Model([opset13.relu(parameter)], [parameter], "g")
    for each in describe:
        describe_openvino(model, each)
    openvino.save_model(model, path)
    return path


def litert_file(path, describe=(OLDER, DESCRIPTION)):
    tf = pytest.importorskip("tensorflow")
    function = tf.function(
        lambda x: tf.nn.relu(x) + 1, input_signature=[tf.TensorSpec((1, 2), name="x")]
    )
    content = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], tf.Module()
    ).convert()
    for each in describe:
        content = describe_litert(content, each)
    path.write_bytes(content)
    return path


def saved_model(path, describe=(OLDER, DESCRIPTION)):
    path.mkdir()
    (path / "saved_model.pb").touch()
    for each in describe:
        describe_saved_model(path, each)
    return path


FORMATS = {
    "model.onnx": onnx_file,
    "model.xml": openvino_file,
    "model.tflite": litert_file,
    "saved_model": saved_model,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_keeps_its_last_description(name, tmp_path):
    path = FORMATS[name](tmp_path / name)
    assert read_description(path) == DESCRIPTION
    assert format_of(path) in RUNTIMES and format_of(tmp_path) is None
    assert DESCRIPTION.version == nasnet_keras.__version__


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_somebody_else_has_none(name, tmp_path):
    path = FORMATS[name](tmp_path / name, describe=())
    with pytest.raises(ValueError, match="has no description of nasnet_keras: export it again"):
        read_description(path)


@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.tflite"])
@pytest.mark.parametrize("content", [b"", b"text", b"\x1c\0\0\0TFL3" + bytes(range(100, 200))])
def test_a_damaged_file_is_one_error(name, content, tmp_path):
    pytest.importorskip({".onnx": "onnxruntime", ".xml": "openvino"}.get(name[5:], "tensorflow"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="is not a (complete )?(ONNX|OpenVINO|LiteRT) file"):
        read_description(tmp_path / name)


@pytest.mark.skipif(not importlib.util.find_spec("ai_edge_litert"), reason="reads with the other")
def test_either_library_reads_litert(tmp_path, monkeypatch):
    path = litert_file(tmp_path / "model.tflite")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert read_description(path) == DESCRIPTION
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert read_description(path) == DESCRIPTION


def test_a_file_with_its_description_still_computes(tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    path = litert_file(tmp_path / "model.tflite")
    runner = interpreter.Interpreter(str(path)).get_signature_runner()
    (answer,) = runner(x=np.array([[-3, 4]], "float32")).values()
    assert answer.tolist() == [[1.0, 5.0]]


def test_what_a_later_version_added_is_left_out():
    data = json.loads(DESCRIPTION.to_json()) | {"colour": "blue"}
    assert FileDescription.from_json(json.dumps(data)) == DESCRIPTION


def test_json_of_something_else_is_refused(tmp_path):
    for text in ("{}", "[]", "1", "{", '{"format": "another"}'):
        with pytest.raises(ValueError):
            FileDescription.from_json(text)
    path = saved_model(tmp_path / "saved_model", describe=())
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / f"{KEY}.json").write_text('{"format": 3}')
    with pytest.raises(ValueError, match="has a damaged description of nasnet_keras"):
        read_description(path)


def test_what_is_no_exported_file_is_named(tmp_path):
    (tmp_path / "model.pt").touch()
    with pytest.raises(ValueError, match=r"model\.pt is no exported file: expected \.onnx, \.xml"):
        read_description(tmp_path / "model.pt")
    with pytest.raises(ValueError, match="is no SavedModel"):
        read_description(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_description(tmp_path / "missing.onnx")


@pytest.mark.parametrize(
    ("name", "module"), [("model.onnx", "onnxruntime"), ("model.xml", "openvino")]
)
def test_a_missing_library_is_named_with_the_extra(name, module, tmp_path, monkeypatch):
    (tmp_path / name).touch()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"needs {module}: pip install 'nasnet-keras\[export\]'"):
        read_description(tmp_path / name)
