"""Which image files are sound, what is remembered of them, and what a run does about the others."""

import io
import os
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from nasnet_keras.data.check import image_check
from nasnet_keras.data.check.checked_files import CheckedFiles, CheckedImage, cache_path, stamp_of
from nasnet_keras.data.check.image_check import check_image, checked_images
from nasnet_keras.data.check.unreadable import (
    UnreadableImagesError,
    drop_unreadable,
    refuse_unreadable,
)
from nasnet_keras.data.sources.example_files import ImageFiles, RecordFiles

QUIET = Console(quiet=True)


def picture(suffix: str = ".jpg", seed: int = 0, side: int = 32) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side + 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, Image.registered_extensions()[suffix])
    return file.getvalue()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return cache_path()


@pytest.fixture
def files(tmp_path):
    """Ten sound photographs."""
    paths = [tmp_path / f"{n}.jpg" for n in range(10)]
    for n, path in enumerate(paths):
        path.write_bytes(picture(seed=n))
    return [str(path) for path in paths]


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that were read."""
    names: list[str] = []
    check = image_check.check_image

    def noted(path):
        names.append(Path(path).name)
        return check(path)

    monkeypatch.setattr(image_check, "check_image", noted)
    return names


def found(paths, **kwargs):
    return dict(checked_images(paths, console=QUIET, **kwargs))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".gif", ".webp", ".tif"])
def test_file_that_is_cut_off_is_not_sound(tmp_path, suffix):
    path, content = tmp_path / f"x{suffix}", picture(suffix)
    path.write_bytes(content)
    whole = check_image(str(path))
    assert (whole.problem, whole.height, whole.width) == ("", 32, 40)
    path.write_bytes(content[: len(content) * 2 // 3])
    assert check_image(str(path)).problem


def test_wrong_checksum_of_a_png_is_found_as_tensorflow_finds_it(tmp_path):
    content = bytearray(picture(".png"))
    content[content.index(b"IDAT") + 40] ^= 1
    (tmp_path / "x.png").write_bytes(content)
    assert "png" in check_image(str(tmp_path / "x.png")).problem.lower()


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "empty.jpg").touch()
    problems = {}
    thread = threading.Thread(
        target=lambda: problems.update(
            {name: check_image(str(tmp_path / name)).problem for name in os.listdir(tmp_path)}
        ),
        daemon=True,
    )
    thread.start()
    thread.join(10)
    assert problems == {
        "pipe.jpg": "cannot be read: is a pipe, not a file",
        "folder.jpg": "cannot be read: is a directory, not a file",
        "empty.jpg": "is empty",
    }
    assert check_image(str(tmp_path / "none.jpg")).problem == (
        "cannot be read: No such file or directory"
    )
    assert "cannot be read" in check_image("a\0b.jpg").problem


def test_sound_files_are_read_once_and_others_each_time(files, opened):
    Path(files[3]).write_bytes(picture()[:500])
    first = found(files)
    assert [Path(path).name for path, image in first.items() if image.problem] == ["3.jpg"]
    assert len(opened) == 10
    opened.clear()
    assert found(files) == first and opened == ["3.jpg"]


@pytest.mark.parametrize("how", ["shorter", "as long", "as long and as old"])
def test_file_that_changed_is_read_again(files, opened, how):
    found(files)
    opened.clear()
    path, before = Path(files[5]), os.stat(files[5])
    content = path.read_bytes()
    path.write_bytes(content[:300] if how == "shorter" else b"x" * len(content))
    if how == "as long and as old":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(files)[files[5]].problem and opened == ["5.jpg"]


def test_check_that_is_given_up_goes_on_where_it_was(files, opened):
    checks = checked_images(files, console=QUIET)
    for _ in range(4):
        next(checks)
    checks.close()
    # Some were already read ahead.
    done = set(opened)
    assert 4 <= len(done) < 10
    opened.clear()
    assert len(found(files)) == 10
    assert set(opened) >= {Path(path).name for path in files} - done and len(opened) <= 6


def test_check_ends_in_time_and_goes_on_the_next_time(files, monkeypatch, opened):
    now = iter(range(1000))
    monkeypatch.setattr(image_check.time, "monotonic", lambda: float(next(now)))
    parts = []
    while not parts or len(parts[-1]) < 10:
        parts.append(found(files, seconds=4))
        assert len(parts) < 10
    assert len(parts) > 1 and len(opened) == 10


@pytest.mark.parametrize("damage", ["no database", "other columns", "a folder"])
def test_cache_that_cannot_be_used_costs_time_only(files, cache, opened, damage):
    cache.parent.mkdir(parents=True)
    if damage == "a folder":
        cache.mkdir()
    elif damage == "no database":
        cache.write_bytes(b"no database at all" * 100)
    else:
        with sqlite3.connect(cache) as connection:
            connection.execute("CREATE TABLE sound (path TEXT)")
    for _ in range(2):
        assert not any(image.problem for image in found(files).values())
    assert len(opened) == (10 if damage == "no database" else 20)


def test_two_processes_may_use_the_cache_at_once(files, cache):
    first, second = CheckedFiles(cache), CheckedFiles(cache)
    stamps = {path: stamp_of(path) for path in files[:2]}
    first.remember({files[0]: (stamps[files[0]], CheckedImage("", 1, 2, b"x"))})
    second.remember({files[1]: (stamps[files[1]], CheckedImage("", 3, 4, b"y"))})
    assert first.known(stamps) == second.known(stamps)
    assert second.known(stamps)[files[0]] == CheckedImage("", 1, 2, b"x")


def examples(files, split="train"):
    return ImageFiles("pictures", split, ("a", "b"), tuple(files), tuple(range(len(files))))


def test_all_that_is_wrong_is_told_at_once(files):
    for n in (7, 2):
        Path(files[n]).write_bytes(picture()[:500])
    with pytest.raises(UnreadableImagesError) as caught:
        refuse_unreadable([examples(files[:5]), examples(files[5:], "test")], 60, QUIET)
    error = caught.value
    assert error.summary == (
        "dataset pictures: 2 of 10 images of train and test cannot be decoded (drop_invalid goes "
        "on without them)"
    )
    assert [problem.split(": ")[0] for problem in error.problems] == [files[2], files[7]]
    assert files[2] in str(error) and files[7] in str(error) and "\n" not in str(error)
    assert refuse_unreadable([examples(files)], 0, QUIET) == 0


def test_files_there_was_no_time_for_are_counted(files, monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(image_check.time, "monotonic", lambda: float(next(now)))
    assert 0 < refuse_unreadable([examples(files)], 4, QUIET) < 10


def test_unreadable_files_are_dropped_with_their_labels(files):
    for n in (7, 2):
        Path(files[n]).write_bytes(picture()[:500])
    kept = drop_unreadable(examples(files), QUIET)
    assert kept.labels == (0, 1, 3, 4, 5, 6, 8, 9)
    assert [Path(path).stem for path in kept.paths] == list("01345689")
    with pytest.raises(UnreadableImagesError, match="no image is left"):
        drop_unreadable(examples([files[2], files[7]]), QUIET)


def test_record_files_are_passed_over():
    records = RecordFiles("records", "train", (), (), "image", "label")
    assert drop_unreadable(records, QUIET) is records
    assert refuse_unreadable([records], 60, QUIET) == 0
