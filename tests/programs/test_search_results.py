"""What comes out of a search, from the program's command line."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nasnet_keras.files.directory_lock import locked
from nasnet_keras.genotypes import Genotype
from nasnet_keras.search import get_space
from nasnet_keras.search.engine.journal import Journal, read_journal
from nasnet_keras.search.engine.run_directory import RunDirectory
from tests.programs.search_program import ROOT, program
from tests.search.journals import made_up_search


def test_a_search_is_exported_drawn_and_reported(tmp_path: Path) -> None:
    children = made_up_search(tmp_path / "run", 5)
    best = max(range(5), key=lambda i: children[i][1])
    genotype = get_space("pnas", num_blocks=2).decode(children[best][0])
    run = {"run_dir": tmp_path / "run"}

    done = program("export", output=tmp_path / "best.json", **run)
    assert done.returncode == 0, done.stderr
    assert f"child {best}\n" in done.stdout and genotype.name in done.stdout
    assert Genotype.load(tmp_path / "best.json") == genotype

    assert program("draw", output=tmp_path / "best.svg", **run).returncode == 0
    done = program("draw", genotype=tmp_path / "best.json", output=tmp_path / "file.svg")
    assert done.returncode == 0
    text = (tmp_path / "best.svg").read_text()
    assert text == (tmp_path / "file.svg").read_text()
    assert ElementTree.fromstring(text).find("{http://www.w3.org/2000/svg}title") is not None

    done = program("report", output=tmp_path / "report.html", count=2, **run)
    assert done.returncode == 0 and done.stderr == ""
    assert (tmp_path / "report.html").read_text().count("<svg") == 2


def test_files_that_no_flag_names_are_written_to_the_search(tmp_path: Path) -> None:
    made_up_search(tmp_path, 3)
    before = {path.name for path in tmp_path.iterdir()}
    for command, flags, name in (
        ("report", {}, "report.html"),
        ("draw", {}, "best.svg"),
        ("draw", {"child": 1}, "child-1.svg"),
        ("export", {}, "best.json"),
        ("export", {"child": 1}, "child-1.json"),
    ):
        done = program(command, run_dir=tmp_path, **flags)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f" {tmp_path}/{name}\n")
        before.add(name)
        assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("draw", {"genotype": "nasnet_z", "output": "DIR/x.svg"}, "did you mean"),
        ("draw", {"genotype": "nasnet_a", "output": "DIR/x.gif"}, ".svg or .png, got '.gif'"),
        ("draw", {"genotype": "nasnet_a"}, "--output is missing"),
        ("draw", {"genotype": "nasnet_a", "child": 1, "output": "DIR/x.svg"}, "give one of them"),
        ("draw", {"run_dir": "DIR/run", "child": 9, "output": "DIR/x.svg"}, "there are 0 to 4"),
        ("export", {"run_dir": "DIR/run", "output": "DIR/x.txt"}, "is a .json file"),
        ("export", {"run_dir": "DIR", "output": "DIR/x.json"}, "is not a search"),
        (
            "report",
            {"run_dir": "DIR/run", "output": "DIR/x.html", "count": 0},
            "of at least 1, got 0",
        ),
        ("report", {"run_dir": "DIR/run", "output": "DIR/x.htm"}, "is a .html file, got"),
        ("report", {"run_dir": "DIR/run", "child": 1}, "unknown flag '--child'; expected one of: "),
        ("rerank", {"run_dir": "DIR/run", "count": 0}, "--count is a whole number of at least 1"),
        ("rerank", {"run_dir": "DIR/run", "recipe": "digit"}, "did you mean 'digits'"),
        ("final", {"run_dir": "DIR/run", "recipe": "digit"}, "did you mean 'digits'"),
        ("final", {"run_dir": "DIR/run", "num_cells": "4,1"}, "of at least 2, got"),
        (
            "final",
            {"run_dir": "DIR/run", "train_image_size": 8},
            "the auxiliary head needs 5 pixels",
        ),
        ("final", {"run_dir": "DIR/run", "output": "DIR/x.csv"}, "is a .html file, got"),
        (
            "final",
            {"run_dir": "DIR/run", "evaluation_split_name": "tset"},
            "unknown split of digits 'tset'; did you mean 'test'?",
        ),
        (
            "rerank",
            {"run_dir": "DIR/run", "ray_address": "auto"},
            "is not used by --executor=local",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: str, flags: dict, message: str, tmp_path: Path
) -> None:
    made_up_search(tmp_path / "run", 5)
    given = {name: str(value).replace("DIR", str(tmp_path)) for name, value in flags.items()}
    done = program(command, **given)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert not (tmp_path / "run" / "rerank").exists()
    assert not (tmp_path / "run" / "final").exists()


@pytest.mark.parametrize(
    ("command", "suffix"),
    [("report", ".html"), ("export", ".json"), ("draw", ".svg"), ("draw", ".png")],
)
def test_a_directory_is_never_replaced_and_folders_are_made(
    command: str, suffix: str, tmp_path: Path
) -> None:
    run_dir = tmp_path / f"run{suffix}"
    made_up_search(run_dir, 3)
    before = {path.name: path.read_bytes() for path in run_dir.iterdir()}
    done = program(command, run_dir=run_dir, output=run_dir)
    assert done.returncode == 2
    assert done.stderr == f"error: {run_dir}: is a directory, not a file\n"
    assert {path.name: path.read_bytes() for path in run_dir.iterdir()} == before

    output = tmp_path / "new" / "folder" / f"x{suffix}"
    done = program(command, run_dir=run_dir, output=output)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in output.parent.iterdir()] == [output.name]


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("status", {}),
        ("top", {}),
        ("rerank", {}),
        ("final", {}),
        ("run", {"strategy": "random", "dataset_name": "digits"}),
        ("report", {"output": "DIR/x.html"}),
        ("draw", {"output": "DIR/x.svg"}),
        ("export", {"output": "DIR/x.json"}),
    ],
)
def test_the_run_of_a_classifier_is_no_search(command: str, flags: dict, tmp_path: Path) -> None:
    recipe = {"recipe": {"model_name": "nasnet_cifar"}, "class_names": [], "replicas": 1}
    (tmp_path / "config.json").write_text(json.dumps(recipe))
    given = {name: value.replace("DIR", str(tmp_path)) for name, value in flags.items()}
    done = program(command, run_dir=tmp_path, **given)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/config.json is not the configuration of a ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_children_without_a_dataset_are_not_trained_again(tmp_path: Path) -> None:
    made_up_search(tmp_path, 1)
    config = RunDirectory(tmp_path).read_config().to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config | {"child": {"own": 1}}))
    done = program("rerank", run_dir=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "does not name the children's dataset" in done.stderr


def test_status_leaves_a_search_as_it_is(tmp_path: Path) -> None:
    made_up_search(tmp_path, 2)
    directory = RunDirectory(tmp_path)
    *_, (_, place) = read_journal(directory.journal)
    with Journal(directory.journal, place) as journal:
        journal.append("asked", number=2, architecture=[0] * 8, key="2")
        journal.append("started", number=2, attempt=0)
    before = {path.name for path in tmp_path.iterdir()}
    assert "no process is running it" in program("status", run_dir=tmp_path).stdout
    assert {path.name for path in tmp_path.iterdir()} == before
    with locked(directory.path):
        done = program("status", run_dir=tmp_path)
    assert done.returncode == 0 and "no process" not in done.stdout


@pytest.mark.parametrize(
    ("command", "flags", "journal"),
    [
        ("run", ["--strategy=random", "--dataset_name=digits"], "new/journal.jsonl"),
        ("rerank", ["--recipe=digits"], "run/rerank/journal.jsonl"),
    ],
)
def test_an_interrupt_says_that_something_is_saved_only_where_it_is(
    command: str, flags: list[str], journal: str, tmp_path: Path
) -> None:
    script = """
import sys
from pathlib import Path
from nasnet_keras.programs import verbs
from nasnet_keras.programs.search import rerank, run

def interrupt(*_):
    if journal:
        Path(journal).parent.mkdir()
        Path(journal).touch()
    raise KeyboardInterrupt

journal = sys.argv.pop()
rerank.make_executor = run.make_executor = interrupt
verbs.run("search")
"""
    made_up_search(tmp_path / "run", 1)
    run_dir = tmp_path / journal.split("/")[0]
    path = tmp_path / journal
    for written, said in (("", ""), (path, f"saved {path.parent}; the same command resumes it\n")):
        done = subprocess.run(
            [sys.executable, "-c", script, command, f"--run_dir={run_dir}", *flags, str(written)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 130
        assert done.stderr == f"{said}interrupted\n"
