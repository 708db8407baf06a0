"""`export/convert_slim_checkpoint.py`, run as a user runs it, and what it refuses."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.models.presets import PRESETS
from nasnet_keras.programs import convert
from nasnet_keras.programs.errors import USAGE_ERROR, reported

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


def start(*flags):
    return subprocess.run(
        [sys.executable, "export/convert_slim_checkpoint.py", *map(str, flags)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def refuse(capsys, *flags):
    """Runs the program in this process, for want of time; returns its one line of error."""
    with pytest.raises(SystemExit) as ended, reported():
        convert.main(*convert.PROGRAM.parse(*map(str, flags)))
    line = capsys.readouterr().err
    assert ended.value.code == USAGE_ERROR
    assert line.startswith("error: ") and line.count("\n") == 1
    return line


def write_checkpoint(prefix):
    """Writes nasnet_cifar with auxiliary head, 11 classes, random weights, averages one larger."""
    model = nk.create_model("nasnet_cifar", classes=11, auxiliary_head=True)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    averages = {v.path: keras.ops.convert_to_numpy(v) + 1 for v in model.trainable_weights}
    nk.save_slim_checkpoint(model, prefix, global_step=9, moving_averages=averages)
    return model


def make_small(patch):
    """Makes two published networks small ones, of other widths."""
    for name, filters in (("nasnet_cifar", 4), ("pnasnet_cifar", 6)):
        config = PRESETS[name].config.replace(num_cells=3, filters=filters, stem_filters=6)
        patch.setitem(PRESETS, name, dataclasses.replace(PRESETS[name], config=config))


@pytest.fixture(scope="module")
def small_checkpoint(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("slim") / "model.ckpt-9"
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        write_checkpoint(prefix)
    return prefix


@pytest.fixture
def checkpoint(small_checkpoint, monkeypatch):
    """The checkpoint of a small network, under whose name the program makes a small one."""
    make_small(monkeypatch)
    return small_checkpoint


def test_converts_and_prints_what_was_mapped(tmp_path):
    prefix = tmp_path / "slim" / "model.ckpt-9"
    source = write_checkpoint(prefix)
    output = tmp_path / "new" / "model.keras"
    result = start(
        "--model_name=nasnet_cifar",
        f"--checkpoint_path={prefix}",
        f"--output_path={output}",
        "--use_moving_averages",
        "--labels_offset=1",
        "--input_shape=any",
    )
    assert result.returncode == 0, result.stderr
    assert os.listdir(output.parent) == ["model.keras"]
    model = keras.saving.load_model(output, compile=False)
    assert model.input_shape == (None, None, None, 3) and model.output_shape == (None, 10)
    expected = {v.path: keras.ops.convert_to_numpy(v) for v in source.weights}
    averaged = {v.path for v in source.trainable_weights}
    for variable in model.weights:
        value = expected[variable.path] + (variable.path in averaged)
        if variable.path.startswith("final_layer"):
            value = value[..., 1:]
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    text = result.stdout
    assert "reduction_cell_1" in text and f"{model.count_params():,}" in text
    assert "not in the model: 12 variables (aux_11)" in text
    assert f"from moving averages: {len(model.trainable_weights):,} variables" in text


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--model_name=nasnet_moble"], "did you mean 'nasnet_mobile'"),
        (["--model_nam=nasnet_cifar"], "--model_name"),
        (["--checkpoint_path="], "--checkpoint_path is empty"),
        (["--checkpoint_path=absent"], "absent"),
        (["--checkpoint_path=setup.py"], "setup.py is not a readable checkpoint"),
        (["--output_path=model.h5"], "ends in .keras"),
        (["--output_path=setup.py/model.keras"], "is a file, not a directory"),
        (["--labels_offset=2"], "labels_offset"),
        (["--input_shape=any", "--image_size=64"], "contradicts"),
        (["--input_shape=any", "--auxiliary_head"], "contradicts"),
        (["--exclude_scopes=final_layers"], "did you mean 'final_layer'"),
        (["--num_classes=10"], "it has 11 classes and the model 10"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    flags, says, checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(ROOT)
    given = {"model_name": "nasnet_cifar", "checkpoint_path": checkpoint}
    given["output_path"] = tmp_path / "model.keras"
    line = refuse(capsys, *(f"--{name}={value}" for name, value in given.items()), *flags)
    assert says in line
    assert os.listdir(tmp_path) == []


def test_an_argument_that_is_no_flag_is_refused(tmp_path):
    output = tmp_path / "model.keras"
    result = start("--model_name=x", "--checkpoint_path=x", f"--output_path={output}", "leftover")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert "leftover" in result.stderr
    assert os.listdir(tmp_path) == []


def test_checkpoint_of_another_network_writes_nothing(checkpoint, tmp_path, capsys):
    line = refuse(
        capsys,
        "--model_name=pnasnet_cifar",
        f"--checkpoint_path={checkpoint}",
        f"--output_path={tmp_path / 'model.keras'}",
    )
    assert "missing in it: " in line and "left over in it: " in line
    assert line.count("(first 10)") == 3
    assert os.listdir(tmp_path) == []
