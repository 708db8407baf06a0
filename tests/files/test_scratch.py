"""Temporary files of libraries go where the next process can tell that nobody needs them."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nasnet_keras.files import scratch as scratch_module
from nasnet_keras.files.scratch import scratch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_temporary_files_are_within_and_gone_afterwards(place: Path) -> None:
    with scratch() as directory, tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == directory and directory.parent == place
    assert tempfile.gettempdir() == str(place) and not list(place.iterdir())


def test_what_a_killed_process_left_is_removed_and_a_live_one_keeps_its_own(place: Path) -> None:
    code = (
        "import sys, tempfile, time; from nasnet_keras.files.scratch import scratch\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with scratch(): open(tempfile.mkstemp()[1], 'w').write('x'); print('there', flush=True); "
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "there\n"
        (theirs,) = place.iterdir()
        with scratch():
            assert list(theirs.iterdir())
        process.kill()
        process.wait()
    assert list(theirs.iterdir())
    with scratch():
        assert not theirs.exists()
    assert not list(place.iterdir())


def test_what_a_library_leaves_is_removed_when_the_process_ends(place: Path) -> None:
    code = (
        "import sys, tempfile; from nasnet_keras.files.scratch import scratch\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with scratch(): tempfile.mkdtemp()\n"
        "import os; assert os.listdir(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(place)], cwd=ROOT, check=True)
    assert not list(place.iterdir())


@pytest.mark.parametrize("taken", ["before it is opened", "before it is locked"])
def test_a_directory_that_another_process_takes_for_a_dead_ones_is_made_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    made, make, lock = [], tempfile.mkdtemp, scratch_module._lock

    def mkdtemp(**options: Any) -> str:
        made.append(Path(make(**options)))
        if taken == "before it is opened" and len(made) == 1:
            made[0].rmdir()
        return str(made[-1])

    def lock_late(file: int, wait: bool) -> bool:
        if taken == "before it is locked" and made[0].exists() and len(made) == 1:
            made[0].rmdir()
        return lock(file, wait)

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr(scratch_module, "_lock", lock_late)
    with scratch() as directory:
        assert made == [made[0], directory] and directory.is_dir()
