"""What is exported goes to a model repository, if one is named."""

import pytest

from nasnet_keras.programs.repository_flags import RepositoryFlags
from tests.serving.colour_network import write_colour_network


def test_a_model_is_named_after_its_run_unless_another_name_is_given(tmp_path, capsys):
    file = write_colour_network(tmp_path / "model.onnx")
    models = tmp_path / "models"
    for path, name in (
        (f"{tmp_path}/runs/digits", "digits"),
        (f"{tmp_path}/nets/small.keras", "small"),
        ("coco:nasnet_large_1200", "nasnet_large_1200"),
    ):
        RepositoryFlags(repository=str(models)).add({"onnx": file}, path, overwrite=False)
        assert (models / name / "1" / "model.onnx").is_file()
        assert capsys.readouterr().out == f"added version 1 to {models / name}\n"
    flags = RepositoryFlags(repository=str(models), model_name="mine", model_version=3)
    written = {"saved_model": tmp_path, "onnx": file}
    flags.add(written, "runs/digits", overwrite=False, top_k=2)
    assert (models / "mine" / "3" / "model.onnx").is_file()
    with pytest.raises(ValueError, match="mine has version 3 already"):
        flags.check("runs/digits", ("onnx",), overwrite=False)
    flags.check("runs/digits", ("onnx",), overwrite=True)


def test_nothing_is_added_without_a_repository_and_none_of_a_saved_model(tmp_path):
    formats = ("saved_model",)
    RepositoryFlags().check("runs/digits", formats, overwrite=False)
    RepositoryFlags().add({"saved_model": tmp_path / "missing"}, "runs/digits", overwrite=False)
    with pytest.raises(ValueError, match="none of which is among saved_model"):
        RepositoryFlags(repository="models").check("runs/digits", formats, overwrite=False)
