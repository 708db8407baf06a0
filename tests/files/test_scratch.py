"""Temporary files of libraries go where the next process can tell that nobody needs them."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

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
