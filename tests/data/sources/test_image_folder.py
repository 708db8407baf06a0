"""What of a folder are its images, classes and splits, and what is said of the rest."""

import os
import socket
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.data.sources import image_listing, registry
from nasnet_keras.data.sources.image_folder import ImageFolder
from nasnet_keras.data.sources.image_listing import list_images, summary
from nasnet_keras.data.sources.registry import check_dataset, find_examples
from nasnet_keras.data.sources.stratified import stratified_order, stratified_splits
from tests.data.record_files import flat_pngs, write_image_folder

(PICTURE,) = flat_pngs(1)


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PICTURE)
    return path


@pytest.fixture
def told(monkeypatch):
    """What was said of a folder, a line each."""
    lines: list[str] = []
    registry._warn_once.cache_clear()
    monkeypatch.setattr(registry.logging, "warning", lambda text, *rest: lines.append(text % rest))
    return lines


def test_everything_else_in_a_folder_is_left_out_by_its_reason(tmp_path):
    folder = tmp_path / "pictures"
    images = [
        write(folder / name)
        for name in ("a.png", "b.PNG", "c d.JpG", "e.tif", "f/g.webp", "scan.png/1.png", "ü.bmp")
    ]
    empty = folder / "empty.gif"
    empty.touch()
    (folder / "link.png").symlink_to(images[0])
    (folder / "elsewhere").symlink_to(write(tmp_path / "other" / "x.png").parent)
    expected = {
        image_listing.HIDDEN: ["._a.png", ".ipynb_checkpoints", "@eaDir", "__MACOSX", "f/.h.png"],
        image_listing.OTHER_SUFFIX: ["notes.txt", "photo.heic"],
        image_listing.DANGLING: ["nowhere.png", "self.png"],
        image_listing.CIRCULAR: ["f/up", "same"],
        image_listing.SPECIAL: ["pipe.png", "socket.png"],
    }
    for name in ("._a.png", ".ipynb_checkpoints/a.png", "@eaDir/a.png", "__MACOSX/a.png"):
        write(folder / name)
    for name in ("f/.h.png", "notes.txt", "photo.heic"):
        write(folder / name)
    (folder / "nowhere.png").symlink_to(tmp_path / "gone.png")
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "f" / "up").symlink_to(folder)
    (folder / "same").symlink_to(folder / "f")
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(folder / "socket.png"))
        listing = list_images(folder)
    links = [folder / "link.png", folder / "elsewhere" / "x.png"]
    assert listing.paths == sorted([*images, empty, *links])
    found: dict[str, list[str]] = {}
    for path, reason in listing.left_out:
        found.setdefault(reason, []).append(str(path.relative_to(folder)))
    assert {reason: sorted(names) for reason, names in found.items()} == {
        reason: sorted(names) for reason, names in expected.items()
    }


def test_names_that_are_not_utf8_are_left_out(tmp_path):
    write(tmp_path / "a.png")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.png")).write_bytes(PICTURE)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    listing = list_images(tmp_path)
    assert listing.paths == [tmp_path / "a.png"]
    assert summary(listing.left_out) == "1 with names that are not UTF-8"


def test_summary_counts_by_reason():
    left_out = [(Path(f"{n}.txt"), image_listing.OTHER_SUFFIX) for n in range(3)]
    left_out += [(Path("x.HEIC"), image_listing.OTHER_SUFFIX), (Path(".y"), image_listing.HIDDEN)]
    assert summary(left_out) == "4 of another suffix (.txt, .heic), 1 hidden"
    assert summary([]) == ""


def test_what_is_left_out_is_told_once(tmp_path, told):
    write_image_folder(tmp_path)
    write(tmp_path / "train" / "cat" / "._1.png")
    write(tmp_path / "train" / "stray.png")
    for _ in range(3):
        assert len(find_examples("image_folder", "train", tmp_path)) == 12
    assert told == [
        f"dataset image_folder: {tmp_path}, train: left out are 1 hidden, "
        "1 images in no class's folder"
    ]
    find_examples("image_folder", "validation", tmp_path)
    assert len(told) == 1


@pytest.mark.parametrize("content", [None, "notes.txt", ".hidden.png", "x.heic"])
def test_class_without_an_image_is_refused_unless_allowed(tmp_path, content):
    write_image_folder(tmp_path)
    place = tmp_path / "train" / "eel"
    if content:
        write(place / content)
    else:
        place.mkdir()
    with pytest.raises(ValueError, match=r"train of .* has no image of 'eel'.*allow_empty"):
        find_examples("image_folder", "train", tmp_path)
    # Nor has the other split one.
    with pytest.raises(ValueError, match=r"validation\[:3\] of .* has no image of 'eel'"):
        find_examples("image_folder", "validation[:3]", tmp_path)
    files = find_examples("image_folder", "train", tmp_path, allow_empty_classes=True)
    assert files.class_names == ("cat", "dog", "eel") and len(files) == 12


def test_folder_without_an_image_says_what_is_there(tmp_path):
    write(tmp_path / "train" / "cat" / "x.heic")
    with pytest.raises(ValueError, match=r"holds no image, but 1 of another suffix \(\.heic\)"):
        find_examples("image_folder", "train", tmp_path)


@pytest.mark.parametrize("there", ["valid", "validation", "Val"])
def test_held_out_folder_may_have_any_of_its_names(tmp_path, there):
    write_image_folder(tmp_path)
    (tmp_path / "validation").rename(tmp_path / there)
    for typed in ("val", "valid", "validation"):
        check_dataset("image_folder", typed, tmp_path)
        assert len(find_examples("image_folder", f"{typed}[:5]", tmp_path)) == 5


def test_folder_of_classes_is_divided_with_every_class_in_proportion(tmp_path):
    for name, count in (("cat", 40), ("dog", 20), ("eel", 3)):
        for number in range(count):
            write(tmp_path / name / f"{number}.png")
    found = ImageFolder("image_folder", tmp_path)
    assert found.splits() == ["train", "val", "test", "all"]

    def read(split):
        files = find_examples("image_folder", split, tmp_path)
        assert files.class_names == ("cat", "dog", "eel")
        return files

    def counts(split):
        files = read(split)
        return Counter(files.class_names[label] for label in files.labels)

    assert counts("train") == {"cat": 32, "dog": 16, "eel": 1}
    assert counts("val") == counts("test") == {"cat": 4, "dog": 2, "eel": 1}
    assert counts("all") == {"cat": 40, "dog": 20, "eel": 3}
    parts = [set(read(split).paths) for split in ("train", "val", "test")]
    assert set.union(*parts) == set(read("all").paths) and sum(map(len, parts)) == 63
    assert read("train").paths == read("train").paths
    assert counts("all[:33%]") == {"cat": 13, "dog": 7, "eel": 1}
    assert set(read("all[:70%]").paths).isdisjoint(read("all[70%:]").paths)
    # It is no order of names.
    numbers = [int(Path(path).stem) for path in read("all").paths if "cat" in str(path)]
    assert numbers != sorted(numbers)


def test_stratified_splits_of_tiny_classes_leave_something_to_train_on():
    splits = stratified_splits([0, 1, 1, 2, 2, 2])
    labels = np.array([0, 1, 1, 2, 2, 2])
    assert {name: sorted(labels[rows]) for name, rows in splits.items()} == {
        "train": [0, 1, 2],
        "val": [2],
        "test": [1, 2],
    }
    assert sorted(stratified_order(labels.tolist())) == list(range(6))
    assert stratified_order([]) == []
