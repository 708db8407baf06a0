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
        RepositoryFlags(repository=str(models)).add(file, path, overwrite=False)
        assert (models / name / "1" / "model.onnx").is_file()
        assert capsys.readouterr().out == f"added version 1 to {models / name}\n"
    flags = RepositoryFlags(repository=str(models), model_name="mine", model_version=3)
    flags.add(file, "runs/digits", overwrite=False, top_k=2)
    assert (models / "mine" / "3" / "model.onnx").is_file()
    with pytest.raises(ValueError, match="mine has version 3 already"):
        flags.check("runs/digits", ("onnx",), overwrite=False)
    flags.check("runs/digits", ("onnx",), overwrite=True)


def test_nothing_is_added_without_a_repository_and_none_without_onnx(tmp_path):
    RepositoryFlags().check("runs/digits", ("litert",), overwrite=False)
    RepositoryFlags().add(tmp_path / "missing.onnx", "runs/digits", overwrite=False)
    with pytest.raises(ValueError, match="a repository holds onnx, which is not among litert"):
        RepositoryFlags(repository="models").check("runs/digits", ("litert",), overwrite=False)
