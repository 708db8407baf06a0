"""A search from the command line, whose children are really trained."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.search import get_space
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.engine.journal import read_journal
from tests.programs.search_program import ROOT, program
from tests.search.journals import made_up_search

DIGITS = {"strategy": "random", "dataset_name": "digits"}


CELLS = {"space": "pnas", "space_option": "num_blocks=1", "num_cells": 2, "filters": 2}


def test_a_search_on_digits_from_the_command_line(tmp_path: Path) -> None:
    reward = {"reward": "accuracy_latency", "target_latency_ms": 3}
    run = {**DIGITS, "epochs": 1, "budget": 2, **CELLS, **reward}
    done = program("run", run_dir=tmp_path, workers=2, **run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 children" in done.stdout
    results = [e for e, _ in read_journal(tmp_path / "journal.jsonl") if e["event"] == "result"]
    assert len(results) == 2
    for event in results:
        values = event["values"]
        assert 0 < values["accuracy"] <= 1 and values["latency_ms"] > 0
        weighed = values["accuracy"] * (values["latency_ms"] / 3) ** -0.07
        assert event["reward"] == pytest.approx(weighed)
        directory = tmp_path / "children" / str(event["number"])
        genotype = nk.Genotype.load(directory / "genotype.json")
        child = ClassifierChild("digits", overrides={"num_cells": 2, "filters": 2})
        assert event["values"]["parameters"] == child.costs(genotype)["parameters"]
        assert len((directory / "metrics.jsonl").read_text().splitlines()) == 1
        assert not (directory / "training").exists()

    again = program("run", run_dir=tmp_path, workers=2, **run)
    assert again.returncode == 0
    assert [e["number"] for e, _ in read_journal(tmp_path / "journal.jsonl")
            if e["event"] == "started"] == [0, 1]  # fmt: skip
    assert "2 of 2 children" in program("status", run_dir=tmp_path).stdout
    top = program("top", run_dir=tmp_path, count=1).stdout
    best = max(results, key=lambda event: event["reward"])
    assert f"{best['reward']:.4f}" in top and f"{best['values']['parameters']:,}" in top

    other = program("run", run_dir=tmp_path, **(run | {"epochs": 3}))
    assert other.returncode == 2
    assert "child.epochs was 1, now 3" in other.stderr


def test_the_table_of_a_search_is_trained_and_written_in_one_command(tmp_path: Path) -> None:
    made_up_search(tmp_path, 2, space=get_space("pnas", num_blocks=1))
    sizes = {"num_cells": 2, "filters": "2,3", "epochs": 1, "count": 1, "latency_runs": 1}
    done = program("final", run_dir=tmp_path, workers=1, **sizes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"wrote {tmp_path}/final.html" in done.stdout and "num_cells=2, filters=3" in done.stdout
    with open(tmp_path / "final.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["num_cells"], row["filters"]) for row in rows] == [("2", "2"), ("2", "3")]
    for row in rows:
        training = f"final/num_cells-2-filters-{row['filters']}/children/0/training/results.json"
        results = json.loads((tmp_path / training).read_text())
        assert results["split"] == "test" and float(row["accuracy"]) == results["accuracy"]


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("rnu", {}, "unknown command 'rnu'; did you mean 'run'?"),
        ("status", {}, "is not a search"),
        ("top", {"budget": 3}, "unknown flag '--budget'; expected one of: --count, --run_dir"),
        ("run", {}, "--strategy is missing"),
        ("run", {"strategy": "random", "ray_address": "auto"}, "is not used by --executor=local"),
        (
            "run",
            {**DIGITS, "executor": "ray", "ray_address": "127.0.0.1:1"},
            "error: there is no Ray cluster at 127.0.0.1:1: Connection refused",
        ),
        ("run", {**DIGITS, "filters": 0}, "filters is a whole number of at least 2, got 0"),
        ("run", {**DIGITS, "num_cells": 0}, "num_cells is a whole number of at least 2, got 0"),
        ("run", {**DIGITS, "reward": "acuracy"}, "did you mean 'accuracy'?"),
        ("run", {**DIGITS, "reward": "accuracy_latency"}, "target_latency_ms is missing: reward="),
        ("run", {**DIGITS, "target_parameters": 9}, "target_parameters=9 is not used by reward="),
        ("run", {**DIGITS, "target_latency_ms": 0}, "target_latency_ms is a number above 0, got 0"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: str, flags: dict, message: str, tmp_path: Path
) -> None:
    done = program(command, run_dir=tmp_path / "search", **flags)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "search").exists()


def test_the_children_s_datasets_are_found_from_any_working_directory(tmp_path: Path) -> None:
    script = """
from nasnet_keras.programs.search.children import ChildFlags, make_executor
from nasnet_keras.search.children.child import ClassifierChild

for directory in ("data", "/data", None):
    executor = make_executor(ChildFlags(), ClassifierChild("digits", directory))
    print(executor._child.dataset_dir)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [str(tmp_path / "data"), "/data", "None"], done.stderr
