"""The command `nasnet-keras`, and the files that stand for its verbs in a checkout."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nasnet_keras
from nasnet_keras.programs import verbs

ROOT = Path(__file__).parents[2]


def command(monkeypatch, capsys, *words, verb="", program="/usr/bin/nasnet-keras"):
    """Runs the command in this process; returns its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", [program, *words])
    with pytest.raises(SystemExit) as ended:
        verbs.run(verb)
    return ended.value.code, *capsys.readouterr()


def test_help_lists_the_programs_with_what_they_do(monkeypatch, capsys):
    code, printed, _ = command(monkeypatch, capsys, "--help")
    assert code == 0
    lines = [line.strip() for line in printed.splitlines()]
    for verb, module in verbs.programs():
        document = importlib.import_module(module).__doc__
        assert f"{verb:23}  {document.splitlines()[0]}" in lines

    code, printed, _ = command(monkeypatch, capsys, "detect", "--help")
    assert "  predict           Finds objects in pictures" in printed and code == 0
    assert "search" not in printed and "nasnet-keras detect train --config=toy" in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (["search", "tpo"], "unknown command 'tpo'; did you mean 'top'?"),
        (["fly"], "unknown command 'fly'; expected one of: train, eval, classify, export, "),
        (["detect"], "`nasnet-keras detect` needs a command: make-toy-dataset, train, eval, "),
        ([], "`nasnet-keras` needs a command: train, eval, classify, export, export-saved-model, "),
    ],
)
def test_a_verb_that_is_unknown_or_missing_is_one_line(monkeypatch, capsys, words, message):
    code, printed, error = command(monkeypatch, capsys, *words)
    assert code == 2 and not printed
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


def test_version(monkeypatch, capsys):
    code, printed, _ = command(monkeypatch, capsys, "--version")
    assert (code, printed) == (0, f"nasnet-keras {nasnet_keras.__version__}\n")


@pytest.mark.parametrize(
    ("program", "verb", "typed"),
    [
        ("/usr/bin/nasnet-keras", "", "nasnet-keras search"),
        ("/lib/nasnet_keras/__main__.py", "", "python -m nasnet_keras search"),
        ("search_architecture.py", "search", "python search_architecture.py"),
    ],
)
def test_texts_name_the_command_as_it_was_typed(monkeypatch, capsys, program, verb, typed):
    words = [] if verb else ["search"]
    _, printed, _ = command(monkeypatch, capsys, *words, "--help", verb=verb, program=program)
    assert f"  {typed} run --strategy=ppo" in printed and f"`{typed} COMMAND --help`" in printed
    _, _, error = command(monkeypatch, capsys, *words, verb=verb, program=program)
    assert error.startswith(f"error: `{typed}` needs a command")


def test_every_program_of_a_checkout_stands_for_a_verb():
    # What is installed is asked of the command.
    known = dict(verbs.programs()).keys() - {"info"}
    files = [*ROOT.glob("*.py"), *ROOT.glob("export/*.py"), *ROOT.glob("object_detection/*.py")]
    found = []
    for file in files:
        if file.name != "setup.py":
            assert len(file.read_text().splitlines()) <= 7, file
            (line,) = [line for line in file.read_text().splitlines() if "    run(" in line]
            found.append(line.split('"')[1])
    assert sorted(found) == sorted([verb for verb in known if "search" not in verb] + ["search"])


def start(*words):
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)


# Prints what each program prints for help, and which of its modules take long to import.
HELP_OF_ALL = """
import os, sys
from nasnet_keras.programs import verbs
slow = {"keras", "tensorflow", "jax", "rich", "PIL"}
for verb, module in verbs.programs():
    if not os.fork():
        sys.argv = ["nasnet-keras", *verb.split(), "--help"]
        try:
            verbs.run()
        finally:
            others = {name for _, name in verbs.programs()} - {module}
            print(f"\\n## {verb}:", *sorted((slow | others) & set(sys.modules)), flush=True)
    if os.wait()[1]:
        raise SystemExit(f"{verb} --help failed")
"""


def test_help_of_every_program_has_its_own_flags_only_and_loads_nothing_slow():
    done = start("-c", HELP_OF_ALL)
    assert done.returncode == 0, done.stderr
    loaded = [line for line in done.stdout.splitlines() if line.startswith("## ")]
    assert loaded == [f"## {verb}:" for verb, _ in verbs.programs()]
    of_train = done.stdout.partition("## train:")[0]
    assert "--recipe: Name of the recipe" in of_train and "--eval_dir" not in of_train


def test_a_verb_runs_from_the_module(tmp_path):
    file = tmp_path / "cell.svg"
    done = start("-m", "nasnet_keras", "search", "draw", "--genotype=nasnet_a", f"--output={file}")
    assert done.returncode == 0 and done.stdout == f"drew nasnet_a to {file}\n"
    assert "<svg" in file.read_text()
