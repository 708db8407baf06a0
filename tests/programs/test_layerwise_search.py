"""A search layer by layer as the documentation says, and what its genotype files must not be."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nasnet_keras as nk
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.search.engine.journal import read_journal
from tests.layerwise_networks import MIXED
from tests.programs.search_program import ROOT


def example(directory: Path) -> str:
    """The commands of docs/architecture_search.md, with two children of two small layers."""
    text = (ROOT / "docs/architecture_search.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    (block,) = (block for block in blocks if "--space=layerwise --strategy=reinforce" in block)
    for found, small in (
        ("filters=[6,12,24,36]'", "filters=[2,3]' --space_option=num_layers=2"),
        ("--budget=40", "--budget=2 --epochs=1 --latency_runs=1"),
        ("--train_dir=runs/nas_best", f"--train_dir={directory}/best --max_number_of_steps=3"),
    ):
        assert found in block
        block = block.replace(found, small)
    return "set -e\n" + block.replace("runs/nas", f"{directory}/nas").replace(
        "python ", f"{sys.executable} "
    )


def test_the_search_of_the_documentation_ends_in_a_trained_network(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", example(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 children" in done.stdout
    search = tmp_path / "nas"
    results = [e for e, _ in read_journal(search / "journal.jsonl") if e["event"] == "result"]
    best = max(results, key=lambda event: event["reward"])
    genotype = nk.LayerwiseGenotype.load(search / "best.json")
    found = nk.LayerwiseGenotype.load(search / "children" / str(best["number"]) / "genotype.json")
    assert genotype == found and len(genotype.layers) == 2
    assert {layer.filters for layer in genotype.layers} <= {2, 3}
    config = json.loads((search / "config.json").read_text())
    assert config["strategy"]["name"] == "reinforce"
    assert config["strategy"]["reward_exponent"] == 3.0
    page = (search / "report.html").read_text()
    assert f"{best['reward']:.4f}" in page or f"{100 * best['reward']:.2f}" in page
    trained = load_trained_model(tmp_path / "best").model
    assert trained.name == genotype.name
    assert trained.count_params() == best["values"]["parameters"]


# One process imports all; each command is a fork of it.
EACH = """
import json, os, sys
import keras
from nasnet_keras.programs import verbs
for words in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        sys.argv = ["train_image_classifier.py", *words]
        verbs.run("train")
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr, flush=True)
"""


def test_layers_that_cannot_be_are_one_line_and_exit_code_2(tmp_path: Path) -> None:
    bad = {
        "later": (1, {"inputs": [3]}, "layer 1 reads layer 3, but can read layers 0 to 0 only"),
        "filters": (3, {"filters": 0}, "layer 3: filters is a whole number of at least 1, got 0"),
        "vanishes": (
            3,
            {"stride_height": 9},
            "8x8 pixels is too small: layer 3 has 8 of the 9 pixels in height of a stride",
        ),
    }
    commands, messages = [], []
    for name, (layer, change, message) in bad.items():
        data = json.loads(MIXED.to_json())
        data["layers"][layer] |= change
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(data))
        words = ["--recipe=digits", f"--genotype={path}", f"--train_dir={tmp_path}/run"]
        commands.append([*words, "--train_image_size=8"])
        messages.append(message)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", EACH, json.dumps(commands)],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    # TensorFlow 2.18 says something first.
    lines = done.stderr[done.stderr.find("error: ") :].splitlines()
    assert len(lines) == 2 * len(bad), done.stderr
    for line, code, message in zip(lines[::2], lines[1::2], messages, strict=True):
        assert line.startswith("error: ") and message in line and code == "2"
    assert not (tmp_path / "run").exists()
