"""Files saved before modules moved load as they were, and what was cut off then goes on now.

`saved/README.md` says what they are, and has the commands that began and go on here.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import nasnet_keras as nk
from nasnet_keras.detection import load_trained_detector
from nasnet_keras.detection.data import write_toy_dataset

ROOT = Path(__file__).resolve().parents[1]
SAVED = Path(__file__).parent / "saved"
ENVIRONMENT = {
    **os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "120"
}  # fmt: skip
NETWORKS = (
    "network.keras",
    "classifier_run/model.keras",
    "classifier_run/best.keras",
    "genotype_run/model.keras",
)
DETECTOR = "detector_run"
TRAININGS = ("classifier_run", "genotype_run", DETECTOR)


def expected(name: str) -> dict:
    return json.loads((SAVED / "expected.json").read_text())[name]


def digest(variables: list) -> str:
    values = hashlib.sha256()
    for variable in sorted(variables, key=lambda variable: variable.path):
        values.update(np.asarray(variable.value).tobytes())
    return values.hexdigest()


def described(model, outputs: dict) -> dict:
    optimizer = getattr(model, "optimizer", None)
    return {
        "weights": digest(model.weights),
        "optimizer": digest(optimizer.variables) if optimizer else None,
        "outputs": {name: np.asarray(value).tolist() for name, value in outputs.items()},
    }


def described_network(path: Path) -> dict:
    model = nk.load_model(path)
    images = np.random.RandomState(0).uniform(-1, 1, (2, *model.input_shape[1:]))
    outputs = model(images.astype("float32"), training=False)
    return described(model, outputs if isinstance(outputs, dict) else {"outputs": outputs})


def described_detector(path: Path) -> dict:
    detector = load_trained_detector(path)
    images = np.random.RandomState(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    outputs = detector.model({"images": images}, training=False)
    names = {"step": detector.step, "class_names": list(detector.config.class_names)}
    # With its optimizer, which those who only detect do not read.
    return described(nk.load_model(path / "model.keras"), outputs) | names


def observed() -> dict:
    """Returns what `expected.json` has of the networks."""
    networks = {name: described_network(SAVED / name) for name in NETWORKS}
    return {**networks, DETECTOR: described_detector(SAVED / DETECTOR)}


def assert_same(found: dict, name: str, tolerance: float) -> None:
    wanted = expected(name)
    outputs, wanted_outputs = found.pop("outputs"), wanted.pop("outputs")
    assert found == wanted
    assert outputs.keys() == wanted_outputs.keys()
    for key, values in wanted_outputs.items():
        np.testing.assert_allclose(outputs[key], values, tolerance, tolerance, err_msg=key)


def command(directory: str) -> list[str]:
    """Returns the README's command that writes this directory."""
    block = re.search(r"```sh\n(.*?)```", (SAVED / "README.md").read_text(), re.DOTALL)
    assert block
    lines = block[1].replace("\\\n", " ").splitlines()
    (line,) = (line for line in lines if f"_dir={directory} " in line)
    _, program, *arguments = line.split()
    return [sys.executable, str(ROOT / program.removeprefix("../../")), *arguments]


@pytest.fixture(scope="module")
def going_on(tmp_path_factory):
    """Waits for a copy that goes on as all do, side by side; gives it and what was printed."""
    root = tmp_path_factory.mktemp("saved")
    write_toy_dataset(root / "toy", train_images=12, val_images=2)
    processes = {}
    for name in (*TRAININGS, "search"):
        shutil.copytree(SAVED / name, root / name)
        processes[name] = subprocess.Popen(
            command(name),
            cwd=root,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finished(name: str) -> tuple[Path, str]:
        printed, _ = processes[name].communicate(timeout=400)
        assert processes[name].returncode == 0, printed
        return root / name, printed

    yield finished
    for process in processes.values():
        process.terminate()
        process.wait()


@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_the_weights_and_outputs_that_it_was_saved_with(name):
    assert_same(described_network(SAVED / name), name, 1e-5)


def test_detector_has_the_weights_and_outputs_that_it_was_saved_with():
    assert_same(described_detector(SAVED / DETECTOR), DETECTOR, 1e-3)


@pytest.mark.parametrize("name", TRAININGS)
def test_training_goes_on_within_the_epoch_and_to_its_end(going_on, name):
    directory, printed = going_on(name)
    wanted = expected("continued")[name]
    assert f"continuing {name} after {wanted['after']}\n" in printed
    before = (SAVED / name / "metrics.jsonl").read_text()
    log = (directory / "metrics.jsonl").read_text()
    assert log.startswith(before)
    epochs = [json.loads(line) for line in log[len(before) :].splitlines()]
    assert [epoch["step"] for epoch in epochs] == [epoch["step"] for epoch in wanted["epochs"]]
    for epoch, values in zip(epochs, wanted["epochs"], strict=True):
        for key, value in values.items():
            # Pixels are no longer rounded three times on their way to a detector: a last bit can
            # exchange two proposals, which the second stage's losses of eight proposals show.
            second_stage = name == DETECTOR and key in ("loss", "box_loss", "class_loss")
            assert epoch[key] == pytest.approx(value, rel=0.1 if second_stage else 1e-3), key


def test_search_shows_the_children_that_it_had(tmp_path):
    shutil.copytree(SAVED / "search", tmp_path / "search")
    printed = {}
    for name in ("status", "top"):
        program = [sys.executable, str(ROOT / "search_architecture.py"), name, "--run_dir=search"]
        done = subprocess.run(
            program, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        printed[name] = done.stdout
    wanted = expected("search")
    for said in ("ppo in space nasnet", f"3 of 4 children, 1 running, {wanted['best']}"):
        assert said in printed["status"]
    rows = [re.findall(r"\d[\d.,]*", line) for line in printed["top"].splitlines()]
    assert [row[:5] for row in rows if row] == wanted["top"]


def test_search_goes_on_from_its_snapshot(going_on):
    directory, printed = going_on("search")
    assert "4 of 4 children" in printed and "does not belong" not in printed
    before = (SAVED / "search" / "journal.jsonl").read_text()
    journal = (directory / "journal.jsonl").read_text()
    assert journal.startswith(before)
    _, started, result = map(json.loads, journal[len(before) :].splitlines())
    assert (started["event"], started["number"]) == ("started", 3)
    assert (result["event"], result["number"]) == ("result", 3)
    assert result["reward"] == pytest.approx(expected("search")["next_reward"], abs=0.03)
