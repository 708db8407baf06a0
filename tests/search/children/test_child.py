"""Children that are really trained, from the program's command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.search import get_space
from nasnet_keras.search.children.child import ClassifierChild
from nasnet_keras.search.children.rerank import RerankChild
from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory, SearchConfig
from nasnet_keras.search.executors.executor import Job

ROOT = Path(__file__).resolve().parents[3]
DIGITS = {"strategy": "random", "dataset_name": "digits"}
CELLS = {"space": "pnas", "space_option": "num_blocks=1", "num_cells": 2, "filters": 2}


def program(command: str, directory: Path, **flags: object) -> subprocess.CompletedProcess:
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.run(
        [sys.executable, "search_architecture.py", command, f"--run_dir={directory}", *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
    )


def test_costs_are_those_of_the_network_that_is_built() -> None:
    genotype = nk.get_genotype("nasnet_a")
    child = ClassifierChild("digits", overrides={"num_cells": 3, "filters": 8})
    model = nk.build_network(child.network(genotype), classes=10, input_shape=(8, 8, 3))
    assert child.costs(genotype)["parameters"] == model.count_params()
    assert child.recipe(5).stem_filters == 24 and child.recipe(5).seed == 5


def test_the_test_split_is_never_trained_or_judged_on() -> None:
    for dataset in ("digits", "cifar10", "cifar100", "tf_flowers"):
        recipe = ClassifierChild(dataset).recipe(0)
        assert recipe.dataset_split_name.startswith("train[:")
        start = recipe.dataset_split_name.removeprefix("train[:").removesuffix("]")
        assert recipe.evaluation_split_name == f"train[{start}:]"


def test_a_search_on_digits_from_the_command_line(tmp_path: Path) -> None:
    run = {"strategy": "random", "dataset_name": "digits", "epochs": 1, "budget": 2, **CELLS}
    done = program("run", tmp_path, workers=2, **run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 children" in done.stdout
    results = [e for e, _ in read_journal(tmp_path / "journal.jsonl") if e["event"] == "result"]
    assert len(results) == 2
    for event in results:
        assert 0 < event["reward"] <= 1 and event["values"]["latency_ms"] > 0
        directory = tmp_path / "children" / str(event["number"])
        genotype = nk.Genotype.load(directory / "genotype.json")
        child = ClassifierChild("digits", overrides={"num_cells": 2, "filters": 2})
        assert event["values"]["parameters"] == child.costs(genotype)["parameters"]
        assert len((directory / "metrics.jsonl").read_text().splitlines()) == 1
        assert not (directory / "training").exists()

    again = program("run", tmp_path, workers=2, **run)
    assert again.returncode == 0
    assert [e["number"] for e, _ in read_journal(tmp_path / "journal.jsonl")
            if e["event"] == "started"] == [0, 1]  # fmt: skip
    assert "2 of 2 children" in program("status", tmp_path).stdout
    top = program("top", tmp_path, count=1).stdout
    best = max(results, key=lambda event: event["reward"])
    assert f"{best['reward']:.4f}" in top and f"{best['values']['parameters']:,}" in top

    other = program("run", tmp_path, **(run | {"epochs": 3}))
    assert other.returncode == 2
    assert "child.epochs was 1, now 3" in other.stderr


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("rnu", {}, "unknown command 'rnu'; did you mean 'run'?"),
        ("status", {}, "is not a search"),
        ("top", {"budget": 3}, "unknown flag '--budget'; expected one of: --count, --run_dir"),
        ("run", {}, "--strategy is missing"),
        ("run", {"strategy": "random", "ray_address": "auto"}, "is not used by --executor=local"),
        ("run", {**DIGITS, "filters": 0}, "filters is a whole number of at least 2, got 0"),
        ("run", {**DIGITS, "num_cells": 0}, "num_cells is a whole number of at least 2, got 0"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: str, flags: dict, message: str, tmp_path: Path
) -> None:
    done = program(command, tmp_path / "search", **flags)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "search").exists()


def test_children_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="space 'layerwise' does not describe cells"):
        ClassifierChild("digits").check(get_space("layerwise"))
    with pytest.raises(ValueError, match="needs latency_runs"):
        ClassifierChild("digits", latency_runs=0, limits=Limits(max_latency_ms=5))
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        ClassifierChild("digits", overrides={"epoch": 3})


def image_folder(root: Path, **images: int) -> Path:
    for name, count in images.items():
        (root / "train" / name).mkdir(parents=True)
        for number in range(count):
            (root / "train" / name / f"{number}.png").touch()
    return root


def test_other_images_are_another_search_and_the_same_elsewhere_are_not(tmp_path: Path) -> None:
    def config(name: str, **images: int) -> SearchConfig:
        directory = image_folder(tmp_path / name, **images)
        child = ClassifierChild("image_folder", str(directory)).config()
        space = {"space": "pnas", "num_blocks": 1}
        return SearchConfig(space, {"name": "random"}, 0, child, {})

    run_dir = RunDirectory(tmp_path / "run")
    run_dir.write_config(config("first", cat=10, dog=10))
    run_dir.check_config(config("moved", cat=10, dog=10))
    with pytest.raises(ValueError, match="child.data.training_images was 18, now 27"):
        run_dir.check_config(config("more", cat=10, dog=20))
    with pytest.raises(ValueError, match=r"search \(child.data.class_names_digest was"):
        run_dir.check_config(config("others", cat=10, owl=10))
    # Nothing is read for what the name says.
    assert "data" not in ClassifierChild("cifar10", "no/such/directory").config()


@pytest.mark.parametrize("kind", [ClassifierChild, RerankChild])
def test_how_latency_is_measured_tells_searches_apart(kind: type[ClassifierChild]) -> None:
    one, other = kind("digits").config(), kind("digits", latency_runs=9).config()
    assert {k for k in one if one[k] != other[k]} == {"latency_runs"}


def test_an_architecture_that_is_too_slow_is_not_trained(tmp_path: Path) -> None:
    child = ClassifierChild(
        "digits", overrides={"num_cells": 2, "filters": 2}, limits=Limits(max_latency_ms=1e-6)
    )
    space = get_space("pnas", num_blocks=1)
    values = child(Job(0, 0, "key", space.decode((0, 1, 0, 4)), 0, tmp_path))
    assert values["reward"] is None
    assert values["rejected"].startswith("max_latency_ms=1e-06 is below its ")
    assert not (tmp_path / "training").exists()


def test_a_training_goes_on_in_a_directory_that_has_moved(tmp_path: Path) -> None:
    overrides = {"num_cells": 2, "filters": 2, "epochs": 1}
    child = RerankChild("digits", None, overrides, latency_runs=0, recipe_name="digits")
    genotype = get_space("pnas", num_blocks=1).decode((0, 1, 4, 4))
    (tmp_path / "before").mkdir()
    first = child(Job(0, 0, "key", genotype, 0, tmp_path / "before"))
    (tmp_path / "before").rename(tmp_path / "after")
    again = child(Job(0, 1, "key", genotype, 0, tmp_path / "after"))
    assert again["reward"] == first["reward"]
    assert len((tmp_path / "after" / "training" / "metrics.jsonl").read_text().splitlines()) == 1


def test_the_children_s_datasets_are_found_from_any_working_directory(tmp_path: Path) -> None:
    script = """
from nasnet_keras.programs.search.children import ChildFlags, make_executor
from nasnet_keras.search.children.child import ClassifierChild

for directory in ("data", "/data", None):
    executor = make_executor(ChildFlags(), ClassifierChild("digits", directory), print)
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
