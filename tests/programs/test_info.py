"""What a report of a fault says about the installation."""

import importlib.metadata
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import nasnet_keras
from nasnet_keras.programs import info

ROOT = Path(__file__).parents[2]


def test_info_prints_the_versions_and_imports_none_of_them() -> None:
    code = (
        "import sys; sys.argv = ['nasnet-keras', 'info']\n"
        "from nasnet_keras.programs.verbs import run\n"
        "try: run()\n"
        "finally: print('imported', {'keras', 'numpy', 'tensorflow'}.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["nasnet_keras"] == nasnet_keras.__version__
    assert rows["Python"] == platform.python_version()
    assert rows["keras"] == version("keras") and rows["pillow"] == version("pillow")
    assert rows["imported"] == "set()" and "pytest" not in rows


def test_the_backend_is_the_one_that_keras_takes(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert info.keras_backend() == ("jax", "KERAS_BACKEND")
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert info.keras_backend() == ("tensorflow", "default")
    file = tmp_path / "keras.json"
    file.write_text('{"backend": "torch"}')
    assert info.keras_backend() == ("torch", "keras.json")
    for broken in ("{", "[]", "{}"):
        file.write_text(broken)
        assert info.keras_backend() == ("tensorflow", "default")


def test_libraries_that_are_missing_are_told(monkeypatch, capsys) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    asked = ["keras>=3.12", 'onnx>=1.17; extra == "export"', 'ruff>=0.12; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: asked)

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    info.info()
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert rows["keras"].strip() == "not installed" and not rows.keys() & {"onnx", "ruff"}
    assert rows["Keras backend"].strip() == "torch not installed, by KERAS_BACKEND"


@pytest.mark.parametrize(
    ("word", "message"),
    [("--json", "unknown flag '--json'; expected none"), ("all", "unexpected argument 'all'")],
)
def test_info_takes_nothing(word: str, message: str) -> None:
    command = [sys.executable, "-m", "nasnet_keras", "info", word]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(f"error: {message}")
