"""What is no file is refused at once, wherever a user names one."""

import json
import os
from pathlib import Path

import pytest

import nasnet_keras as nk
from nasnet_keras.files.input_files import check_file, read_file
from nasnet_keras.settings import Settings, read_settings


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_files_and_links_to_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "file") == read_file(tmp_path / "link") == b"content"
    with pytest.raises(FileNotFoundError, match="absent"):
        check_file(tmp_path / "absent")


def test_pipes_directories_and_devices_are_named_for_what_they_are(pipe: Path) -> None:
    for path, message in (
        (pipe, "is a pipe, not a file"),
        (pipe.parent, "is a directory, not a file"),
        (Path("/dev/zero"), "is a device, not a file"),
    ):
        with pytest.raises(OSError, match=message) as error:
            check_file(path)
        assert error.value.filename == str(path)


def test_no_reader_waits_for_a_pipe(pipe: Path) -> None:
    # Those that need no Keras; others have the same line in the tests of their folders.
    for read in (nk.Genotype.load, lambda path: read_settings(Settings, path)):
        with pytest.raises(OSError, match="is a pipe, not a file"):
            read(pipe)
    journal = pipe.with_name("journal.jsonl")
    journal.write_text(json.dumps({}))
