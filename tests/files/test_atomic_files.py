"""Files and directories that are there whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from nasnet_keras.files.atomic_files import atomic_write, check_can_write


def test_a_file_does_not_replace_a_directory_nor_a_directory_a_file(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "kept").touch()
    file.write_text("kept")
    with pytest.raises(IsADirectoryError, match="folder"), atomic_write(folder) as path:
        path.write_text("new")
    with pytest.raises(NotADirectoryError, match="file"), atomic_write(file) as path:
        path.mkdir()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "kept"]
    assert file.read_text() == "kept"

    with pytest.raises(IsADirectoryError, match="folder"):
        check_can_write(folder)
    with pytest.raises(NotADirectoryError, match="file"):
        check_can_write(file, directory=True)


def test_like_replaces_like(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "old").touch()
    file.write_text("old")
    check_can_write(folder, directory=True)
    check_can_write(file)
    with atomic_write(folder) as path:
        path.mkdir()
        (path / "new").touch()
    with atomic_write(file) as path:
        path.write_text("new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "new"]
    assert file.read_text() == "new"


def test_parents_are_made(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.txt"
    check_can_write(target)
    assert not (tmp_path / "a").exists()
    with atomic_write(target) as path:
        path.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "inner"),
        RuntimeError("Can't decrement id ref count (errno = 28, 'No space left on device')"),
        OSError(errno.EIO, "Input/output error"),
    ],
)
def test_an_error_of_writing_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, error: Exception
) -> None:
    target = tmp_path / "weights.h5"
    target.write_text("old")
    with pytest.raises(OSError) as caught, atomic_write(target) as path:
        path.write_text("ne")
        raise error
    assert caught.value.filename == str(target)
    assert caught.value.errno == getattr(error, "errno", errno.ENOSPC)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.h5"]
    assert target.read_text() == "old"


def test_parents_that_were_made_for_nothing_are_taken_away_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(RuntimeError):
        with atomic_write(tmp_path / "a" / "b" / "c" / "d.txt") as path:
            path.write_text("a part")
            raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_pipes_and_devices_are_not_replaced(tmp_path):
    pipe = tmp_path / "x.json"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="is a pipe, not a file"):
        check_can_write(pipe)
    with pytest.raises(OSError, match="is a pipe, not a file"), atomic_write(pipe) as path:
        path.write_text("{}")
    assert pipe.is_fifo() and [*tmp_path.iterdir()] == [pipe]
    with pytest.raises(OSError, match="is a device, not a file"):
        check_can_write("/dev/null")
