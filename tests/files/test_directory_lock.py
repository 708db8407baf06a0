"""One process at a time writes to a directory, and a dead one keeps nobody out."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nasnet_keras.files.directory_lock import LOCK_NAME, is_locked, locked, locked_output

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_writer_is_refused_and_a_dead_one_followed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from nasnet_keras.files.directory_lock import locked\n"
        "with locked(sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=rf"by process {holder.pid} \(-c\) on .* since 20"):
            with locked(tmp_path):
                pass
        assert is_locked(tmp_path)
        holder.kill()
        holder.wait()
    assert (tmp_path / LOCK_NAME).exists() and not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
    assert not list(tmp_path.iterdir())


def test_who_asks_leaves_no_trace_and_keeps_nobody_out(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none") and not (tmp_path / "none").exists()
    (tmp_path / LOCK_NAME).touch()
    with open(tmp_path / LOCK_NAME, "rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert not is_locked(tmp_path)
        timer = threading.Timer(0.1, fcntl.flock, (asking, fcntl.LOCK_UN))
        timer.start()
        with locked(tmp_path):
            assert is_locked(tmp_path)
        timer.join()


def test_a_directory_in_which_nothing_was_written_goes_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        with locked(tmp_path / "runs" / "new" / "run"):
            raise RuntimeError
    assert not list(tmp_path.iterdir())
    with locked(tmp_path / "run"):
        (tmp_path / "run" / "model.keras").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model.keras"]


def test_what_is_replaced_as_a_whole_is_locked_beside_it(tmp_path: Path) -> None:
    with locked_output(tmp_path / "saved_model"):
        with pytest.raises(ValueError, match=f"by process {os.getpid()} "):
            with locked_output(tmp_path / "saved_model"):
                pass
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch) -> None:
    def flock(file, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match="this file system has no locks"):
        with locked(tmp_path):
            pass
