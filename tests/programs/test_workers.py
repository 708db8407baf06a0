"""Two processes train as docs/distributed.md says, and stop together when one is told to."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.one_block_cells import GENOTYPE

ROOT = Path(__file__).parents[2]
SMALL = "--num_cells=2 --filters=2 --stem_filters=4 --max_number_of_steps=66 --notensorboard"


def example():
    """The shell block of the documentation that starts two workers."""
    text = (ROOT / "docs/distributed.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return next(block for block in blocks if "localhost:12345" in block)


def free_ports():
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in (first, second)]


def adapted(tmp_path):
    """The block with a small network, free ports, this Python and a directory of the test."""
    block = example()
    for number, port in zip(("12345", "12346"), free_ports(), strict=True):
        block = block.replace(number, str(port))
    block = block.replace(
        "python train_image_classifier.py", f"{sys.executable} {ROOT}/train_image_classifier.py"
    )
    assert "--train_dir=runs/two" in block and "--distribution=multiworker" in block
    genotype = tmp_path / "cells.json"
    GENOTYPE.save(genotype)
    return block.replace(
        "--train_dir=runs/two", f"--train_dir={tmp_path}/two --genotype={genotype} {SMALL}"
    )


def start(script, tmp_path, name):
    output = (tmp_path / name).open("w")
    return subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT
    )


def step_of(checkpoint):
    with zipfile.ZipFile(checkpoint) as archive:
        return json.loads(archive.read("training_state.json"))["step"]


def test_workers_stop_together_at_one_signal_and_the_example_finishes_the_run(tmp_path):
    # ---- Each worker by itself, to see its exit code.
    block = adapted(tmp_path)
    body = re.search(r"do\n(.*?)&\ndone", block, re.DOTALL).group(1)
    workers = [
        start(f"index={index}; export TF_CONFIG; exec env {body}", tmp_path, f"log{index}")
        for index in (0, 1)
    ]
    log = tmp_path / "two" / "metrics.jsonl"
    deadline = time.monotonic() + 400
    while not log.exists() and time.monotonic() < deadline:
        assert all(worker.poll() is None for worker in workers), (tmp_path / "log0").read_text()
        time.sleep(0.05)
    # Not the chief: it learns of it from the other.
    workers[1].send_signal(signal.SIGTERM)
    codes = [worker.wait(timeout=300) for worker in workers]
    assert codes == [143, 143], (tmp_path / "log0").read_text()
    assert "the same command goes on" in (tmp_path / "log0").read_text()
    checkpoint = tmp_path / "two" / "model.keras"
    stopped = step_of(checkpoint)
    assert 22 <= stopped < 66
    assert not (tmp_path / "two" / "results.json").exists()

    # ---- The example as it stands goes on from there.
    assert start(adapted(tmp_path), tmp_path, "log2").wait(timeout=500) == 0
    assert f"after step {stopped} of 66" in (tmp_path / "log2").read_text()
    assert step_of(checkpoint) == 66
    results = json.loads((tmp_path / "two" / "results.json").read_text())
    assert results["images"] == 360
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    # 22 steps of 2 x 32 images an epoch.
    assert steps == [22, 44, 66]
    assert os.listdir(tmp_path / "two") and not list((tmp_path / "two").glob(".*"))
