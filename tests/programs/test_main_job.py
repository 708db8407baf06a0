"""The main job and its errors, each program started as a user starts it."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from nasnet_keras.programs import eval, export_saved_model, train
from nasnet_keras.programs.errors import reported
from tests.one_block_cells import GENOTYPE

ROOT = Path(__file__).parents[2]
TINY = ("--recipe=digits", "--num_cells=2", "--filters=2", "--stem_filters=4")


def start(program, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    environment.pop("KERAS_BACKEND", None)
    return subprocess.run(
        [sys.executable, str(ROOT / program), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


def succeed(program, *arguments):
    done = start(program, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def refuse(program, *arguments):
    """Runs a program that must fail; returns its one line of error."""
    done = start(program, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def refuse_within(capfd, program, *arguments):
    """As `refuse`, within this process: others import the libraries for seconds."""
    with pytest.raises(SystemExit) as ended, reported():
        program.PROGRAM.main(*program.PROGRAM.parse(*map(str, arguments)))
    printed = capfd.readouterr()
    assert ended.value.code == 2 and printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), printed.err
    return lines[0]


def readme_commands():
    """Returns the four commands of the README, split into words, `\\` line ends joined."""
    block = re.search(r"```sh\n(python train_image.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block
    return [line.split()[1:] for line in block[1].replace("\\\n", " ").splitlines()]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The flags of a training of cells of one block."""
    cells = tmp_path_factory.mktemp("cells") / "one_block.json"
    GENOTYPE.save(cells)
    return (*TINY, f"--genotype={cells}")


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny):
    """A directory in which the README's four commands have run, and what they printed."""
    directory = tmp_path_factory.mktemp("main_job") / "runs" / "digits"
    printed = {}
    for program, *arguments in readme_commands():
        words = []
        for word in arguments:
            path = word.replace("runs/digits", str(directory))
            words += sorted(glob.glob(path)) if "*" in path else [path]
        if program.startswith("train"):
            words += [*tiny, "--max_number_of_steps=4"]
        printed[Path(program).stem.split("_")[0]] = succeed(program, *words)
    return directory, printed


def test_make_quickstart_runs_the_readmes_commands():
    makefile = (ROOT / "Makefile").read_text().replace("\\\n\t\t", "")
    makefile = makefile.replace("$(QUICKSTART_IMAGES)", "$(QUICKSTART_DIR)/samples/*.png")
    makefile = makefile.replace("$(QUICKSTART_DIR)", "runs/digits")
    for words in readme_commands():
        assert "$(BIN)/python " + " ".join(words) in makefile


def test_training_prints_its_progress_and_the_accuracy(run):
    assert "step 4/4" in run[1]["train"]
    assert "images/s" in run[1]["train"]
    assert "test accuracy" in run[1]["train"]


def test_evaluation_scores_as_training_did_and_writes_what_it_prints(run):
    directory, printed = run
    results = json.loads((directory / "eval" / "results.json").read_text())
    assert results == json.loads((directory / "results.json").read_text())
    assert f"top-1 accuracy {results['accuracy']:.2%} of 360 images" in printed["eval"]
    assert len(results["per_class"]) == 10
    assert (directory / "eval" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_export_reports_how_close_it_is(run):
    assert "largest difference from the network" in run[1]["export"]
    assert (run[0] / "saved_model" / "saved_model.pb").is_file()


def test_classification_table_has_every_file(run):
    directory, printed = run
    for sample in (directory / "samples").iterdir():
        assert sample.name in printed["classify"]
    assert "%" in printed["classify"]


def test_pictures_that_cannot_be_read_are_named_and_the_others_classified(run, tmp_path):
    directory, printed = run
    good = sorted((directory / "samples").iterdir())[0]
    corrupt, text = tmp_path / "corrupt.png", tmp_path / "text.png"
    corrupt.write_bytes(good.read_bytes()[:60])
    text.write_text("no picture")
    done = start(
        "classify_image.py", f"--model={directory}", corrupt, good, text, tmp_path / "missing.png"
    )
    assert done.returncode == 2
    errors = done.stderr.splitlines()
    assert [line.startswith("error: ") for line in errors] == [True] * 3
    for line, name in zip(errors, ("corrupt.png", "text.png", "missing.png"), strict=True):
        assert name in line
    assert good.name in done.stdout and "corrupt.png" not in done.stdout
    # The run directory answers as the SavedModel did.
    answer = next(line for line in printed["classify"].splitlines() if good.name in line)
    assert answer.split()[-2] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe=digit", "--train_dir=x"), "unknown recipe 'digit'; did you mean 'digits'?"),
        (
            ("--recipe=digits", "--traindir=x"),
            "unknown flag '--traindir'; did you mean '--train_dir'?",
        ),
        (("--recipe=digits",), "--train_dir is missing"),
        (("--train_dir=x",), "--recipe is missing"),
        (("--recipe=digits", "--train_dir=x", "more"), "unexpected argument 'more'"),
        (("--recipe=digits", "--train_dir=x", "--batch_size=many"), "batch_size"),
        (
            ("--recipe=digits", "--train_dir=x", "--learning_rate=-1"),
            "learning_rate is a number above 0",
        ),
        (
            ("--recipe=digits", "--train_dir=x", "--epochs=2", "--max_number_of_steps=9"),
            "contradict each other",
        ),
        (
            ("--recipe=digits", "--train_dir=x", "--optimizer=adam", "--momentum=0.5"),
            "contradicts optimizer=adam",
        ),
    ],
)
def test_wrong_flags_of_training_are_refused_in_one_line(arguments, message):
    assert message in refuse("train_image_classifier.py", *arguments)


def test_run_that_diverges_ends_with_one_line(tiny, tmp_path):
    done = start(
        "train_image_classifier.py",
        *tiny,
        f"--train_dir={tmp_path}",
        "--learning_rate=1e30",
        "--learning_rate_decay_type=fixed",
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: the loss is nan at step \d+, learning rate 1e\+30; there is no checkpoint yet\n",
        done.stderr,
    ), done.stderr


def test_directories_that_cannot_be_written_are_refused(run, tmp_path, capfd):
    # Below a file nothing can be written, whoever the user is.
    file = tmp_path / "file"
    file.write_text("")
    checkpoint = f"--checkpoint_path={run[0]}"
    assert str(file) in refuse_within(capfd, train, *TINY, f"--train_dir={file}/run")
    assert str(file) in refuse_within(capfd, eval, checkpoint, f"--eval_dir={file}/eval")
    assert str(file) in refuse_within(
        capfd, export_saved_model, checkpoint, f"--output_dir={file}/saved_model"
    )


def test_run_directory_of_other_settings_is_refused(run, tiny, capfd):
    line = refuse_within(capfd, train, *tiny, f"--train_dir={run[0]}", "--max_number_of_steps=5")
    assert "max_number_of_steps was 4, now 5" in line


def test_existing_export_is_replaced_only_on_demand(run, capfd):
    line = refuse_within(
        capfd,
        export_saved_model,
        f"--checkpoint_path={run[0]}",
        f"--output_dir={run[0] / 'saved_model'}",
    )
    assert "is not empty" in line


def test_truncated_network_is_refused(run, tmp_path):
    shutil.copy(run[0] / "config.json", tmp_path)
    whole = (run[0] / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(whole[: len(whole) // 2])
    line = refuse("eval_image_classifier.py", f"--checkpoint_path={tmp_path}")
    assert "model.keras is not a complete .keras file" in line


def test_unknown_split_suggests_the_nearest(run, capfd):
    line = refuse_within(
        capfd,
        eval,
        f"--checkpoint_path={run[0]}",
        "--dataset_name=digits",
        "--dataset_split_name=tst",
    )
    assert "did you mean 'test'" in line


def test_help_lists_recipes_with_their_values():
    printed = succeed("train_image_classifier.py", "--recipe=help")
    assert "digits: A small NASNet-A" in printed
    assert "learning_rate" in printed and "0.1" in printed
