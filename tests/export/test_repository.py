"""A model repository that servers start from, and what is not replaced in it."""

import json
import re

import pytest

from nasnet_keras.export.description import describe_openvino, read_description
from nasnet_keras.export.graph.openvino_writer import openvino_model, save_openvino
from nasnet_keras.export.repository import add_to_repository, check_repository, served_format
from nasnet_keras.serving import load_predictor
from tests.serving.colour_network import DESCRIPTION, picture, write_colour_network


@pytest.fixture
def colours(tmp_path):
    return write_colour_network(tmp_path / "colours.onnx")


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_servers_find_the_file_its_tensors_and_its_classes(colours, tmp_path):
    target = add_to_repository(colours, tmp_path / "models", "colours", top_k=2)
    assert read_description(target / "1" / "model.onnx") == DESCRIPTION
    settings = json.loads((target / "model-settings.json").read_text())
    assert settings["name"] == "colours"
    assert settings["implementation"] == "nasnet_keras.serving.Runtime"
    assert settings["parameters"] == {
        "uri": "1/model.onnx",
        "version": "1",
        "extra": {"top_k": 2},
    }
    assert (target / "labels.txt").read_text() == "red\ngreen\nblue\n"
    text = (target / "config.pbtxt").read_text()
    assert 'name: "colours"' in text and "max_batch_size: 32" in text
    tensors = re.findall(r'(\w+) {\n  name: "(\w+)"\n  data_type: (\w+)\n  dims: (.*)\n', text)
    assert tensors == [
        ("input", "images", "TYPE_FP32", "[8, 8, 3]"),
        ("output", "logits", "TYPE_FP32", "[3]"),
        ("output", "probabilities", "TYPE_FP32", "[3]"),
    ]
    server = json.loads((tmp_path / "models" / "settings.json").read_text())
    assert server["host"] == "127.0.0.1" and server["parallel_workers"] == 0


def test_a_fixed_batch_belongs_to_the_shape(tmp_path):
    file = write_colour_network(tmp_path / "one.onnx", batch=1)
    target = add_to_repository(file, tmp_path / "models", "one")
    text = (target / "config.pbtxt").read_text()
    assert "max_batch_size: 0" in text and "dims: [1, 8, 8, 3]" in text
    assert "dynamic_batching" not in text


def test_a_new_version_is_served_and_the_old_one_stays(colours, tmp_path):
    models = tmp_path / "models"
    target = add_to_repository(colours, models, "colours")
    settings = models / "settings.json"
    settings.write_text(json.dumps({"host": "0.0.0.0"}))
    before = (target / "1" / "model.onnx").read_bytes()
    better = write_colour_network(tmp_path / "better.onnx", sharpness=9.0)
    add_to_repository(better, models, "colours", version=2)
    assert (target / "1" / "model.onnx").read_bytes() == before
    assert (target / "2" / "model.onnx").read_bytes() == better.read_bytes()
    parameters = json.loads((target / "model-settings.json").read_text())["parameters"]
    assert (parameters["uri"], parameters["version"]) == ("2/model.onnx", "2")
    assert json.loads(settings.read_text()) == {"host": "0.0.0.0"}
    add_to_repository(colours, models, "colours", version=2, overwrite=True)
    assert (target / "2" / "model.onnx").read_bytes() == colours.read_bytes()


def test_openvino_is_served_too_and_all_versions_have_one_format(colours, tmp_path):
    pytest.importorskip("openvino")
    onnx = pytest.importorskip("onnx")
    model = openvino_model(onnx.load(colours))
    describe_openvino(model, DESCRIPTION)
    save_openvino(model, tmp_path / "colours.xml")
    models = tmp_path / "models"
    target = add_to_repository(tmp_path / "colours.xml", models, "colours")
    # Triton's configuration is for ONNX.
    expected = {"1/model.xml", "1/model.bin", "labels.txt", "model-settings.json"}
    assert set(files(target)) == expected
    settings = json.loads((target / "model-settings.json").read_text())
    assert settings["parameters"]["uri"] == "1/model.xml" and settings["platform"] == "openvino"
    found = load_predictor(target / settings["parameters"]["uri"]).predict(picture(0, 0, 250))
    assert found.names[0] == "blue"
    for file, options in ((colours, {"version": 2}), (colours, {"overwrite": True})):
        with pytest.raises(ValueError, match="colours holds openvino, not onnx: choose another"):
            add_to_repository(file, models, "colours", **options)
    add_to_repository(tmp_path / "colours.xml", models, "colours", version=2)
    assert set(files(target)) == expected | {"2/model.xml", "2/model.bin"}


def test_a_repository_takes_onnx_or_the_first_that_is_served():
    assert served_format(["saved_model", "litert", "onnx"]) == "onnx"
    assert served_format(["saved_model", "litert", "openvino"]) == "litert"
    with pytest.raises(ValueError, match="holds onnx, openvino, litert, none of which is among"):
        served_format(["saved_model"])


def test_what_is_there_is_not_replaced_and_told_in_one_line(colours, tmp_path):
    models = tmp_path / "models"
    add_to_repository(colours, models, "colours")
    (models / "theirs" / "1").mkdir(parents=True)
    (models / "theirs" / "model-settings.json").write_text('{"implementation": "theirs.Model"}')
    (models / "empty").mkdir()
    (models / "file").write_text("")
    other = write_colour_network(tmp_path / "other.onnx", class_names=("a", "b", "c"))
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(colours.read_bytes()[:50])
    before = files(models)
    for file, name, options, line in (
        (colours, "colours", {}, "colours has version 1 already"),
        (other, "colours", {"version": 2}, r"another model, a classifier of 3 classes \('red'"),
        (other, "colours", {"overwrite": True}, "holds another model"),
        (colours, "theirs", {"overwrite": True}, "theirs holds another model"),
        (colours, "empty", {}, "empty holds another model"),
        (colours, "../up", {}, "a model's name has letters"),
        (colours, ".hidden", {}, "a model's name has letters"),
        (colours, "new", {"version": 0}, "version is at least 1, got 0"),
        (bare, "new", {}, "bare.onnx is not a complete ONNX file"),
    ):
        with pytest.raises(ValueError, match=line) as caught:
            add_to_repository(file, models, name, **options)
        assert "\n" not in str(caught.value).strip()
        assert files(models) == before
    with pytest.raises(NotADirectoryError):
        check_repository(models, "file")
    with pytest.raises(NotADirectoryError):
        check_repository(models / "file", "colours")
