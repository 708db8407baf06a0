"""What keeps a training from starting on Ray: one line, before any work."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nasnet_keras.classification import RunOptions, get_recipe
from nasnet_keras.classification.trainer import train
from nasnet_keras.training.backup_workers.options import BackupWorkerOptions
from nasnet_keras.training.backup_workers.ray_distribution import ray_distribution

ray = pytest.importorskip("ray")
ROOT = Path(__file__).parents[3]


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"^backup_workers is at most num_workers \(2\), got 3$"):
        RunOptions(distribution="ray", num_workers=2, backup_workers=3)
    with pytest.raises(ValueError, match="^num_workers is for distribution ray, not none$"):
        RunOptions(num_workers=2)
    with pytest.raises(
        ValueError, match="a fraction of one accelerator or a whole number, got 1.5"
    ):
        RunOptions(distribution="ray", num_workers=2, gpus_per_worker=1.5)
    with pytest.raises(ValueError, match="^distribution ray needs num_workers, "):
        ray_distribution(BackupWorkerOptions())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"synchronize_batch_norm": True}, "synchronize_batch_norm"),
        ({"steps_per_execution": 2}, "steps_per_execution above 1"),
        ({"precision": "mixed_float16"}, "precision mixed_float16 (mixed_bfloat16 works)"),
    ],
)
def test_recipes_that_need_a_step_in_one_process_are_refused(values, text, tmp_path):
    recipe = get_recipe("digits").override(**values)
    options = RunOptions(distribution="ray", num_workers=1)
    with pytest.raises(ValueError) as error:
        train(recipe, tmp_path / "run", options=options)
    assert str(error.value) == f"{text} is not available with distribution ray"
    assert not (tmp_path / "run").exists()


def test_a_machine_without_the_workers_share_is_refused_and_ray_left():
    options = BackupWorkerOptions(num_workers=2, gpus_per_worker=0.5)
    with pytest.raises(ValueError) as error:
        ray_distribution(options)
    assert str(error.value).startswith(
        "there is room for 0 workers of 1 CPU and 0.5 GPU, and a step needs 2 (machines: "
    )
    assert not ray.is_initialized()


def test_an_address_where_nothing_answers_is_refused_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionError) as error:
            ray_distribution(BackupWorkerOptions(num_workers=1, ray_address=address), 2.0)
    why = "it does not answer within 2 s"
    assert str(error.value) == f"there is no Ray cluster at {address}: {why}"
    with pytest.raises(ConnectionError, match=r"^there is no Ray cluster at .*Connection refused"):
        ray_distribution(BackupWorkerOptions(num_workers=1, ray_address=address), 2.0)


def test_the_program_says_so_in_one_line_with_exit_code_2(tmp_path):
    command = [sys.executable, str(ROOT / "train_image_classifier.py"), "--recipe=digits"]
    command += [f"--train_dir={tmp_path / 'run'}", "--distribution=ray", "--num_workers=1"]
    command += ["--ray_address=127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and "there is no Ray cluster at 127.0.0.1:9:" in lines[0]
    assert not (tmp_path / "run").exists()
