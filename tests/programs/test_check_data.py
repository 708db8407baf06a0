"""`nasnet-keras check-data`: what it lists, writes and returns."""

import json

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.programs.check_data import PROGRAM
from nasnet_keras.programs.errors import FAILED
from tests.detection.data.coco_directory import write_coco


def check(capsys, *flags):
    """Runs the program; returns its exit code and what it printed."""
    code = PROGRAM.main(*PROGRAM.parse(*flags))
    return code, capsys.readouterr().out


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("valid", 4)):
        for number in range(count):
            path = tmp_path / "pictures" / split / "ab"[number % 2] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8 + number, 9, 3), np.uint8)).save(path)
    return tmp_path / "pictures"


def test_sound_folder_has_no_problem(capsys, folder):
    assert check(capsys, f"--dataset_dir={folder}") == (
        0,
        "train: 8 images of 2 classes, 8x9 to 15x9 (height x width)\n"
        "valid: 4 images of 2 classes, 8x9 to 11x9 (height x width)\n"
        "12 images checked: no problems\n",
    )
    code, printed = check(capsys, f"--dataset_dir={folder}", "--dataset_split_name=val")
    assert code == 0 and printed.endswith("4 images checked: no problems\n")


def test_everything_that_is_wrong_is_listed_in_one_run(capsys, folder, tmp_path):
    a, b = folder / "train" / "a", folder / "train" / "b"
    (a / "copy.jpg").write_bytes((a / "0.jpg").read_bytes())
    (folder / "valid" / "b" / "leak.jpg").write_bytes((b / "1.jpg").read_bytes())
    (a / "._0.jpg").touch()
    (b / "3.jpg").write_bytes((b / "3.jpg").read_bytes()[:300])
    (b / "5.jpg").write_bytes(b"")
    (folder / "train" / "empty").mkdir()
    output = tmp_path / "findings.json"
    code, printed = check(capsys, f"--dataset_dir={folder}", f"--output={output}")
    assert code == FAILED and printed.endswith("14 images checked: 4 problems\n")
    findings = json.loads(output.read_text())
    assert sorted(findings["unreadable"]) == [str(b / "3.jpg"), str(b / "5.jpg")]
    assert findings["unreadable"][str(b / "5.jpg")] == "is empty"
    assert findings["left_out"] == {str(a / "._0.jpg"): "hidden"}
    assert findings["duplicates"] == [[str(a / "0.jpg"), str(a / "copy.jpg")]]
    leak = [str(b / "1.jpg"), str(folder / "valid" / "b" / "leak.jpg")]
    assert findings["in_several_splits"] == [leak]
    assert findings["splits"]["train"]["empty_classes"] == ["empty"]
    for line in (*findings["unreadable"], " = ".join(leak), "train: empty", "._0.jpg: hidden"):
        assert line in printed
    code, printed = check(capsys, f"--dataset_dir={folder}", "--allow_empty_classes")
    assert code == FAILED and printed.endswith("2 problems\n")


def test_annotations_and_pictures_of_a_detection_set_are_checked_together(capsys, tmp_path):
    content = {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "height": 40, "width": 48} for n in range(1, 5)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [2, 2, 20, 20]} for n in range(1, 5)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    content["annotations"][0]["category_id"] = 9
    write_coco(tmp_path, content, "train")
    path = tmp_path / "train2017" / "3.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    code, printed = check(capsys, f"--dataset_dir={tmp_path}")
    assert code == FAILED and "unknown category 9" in printed and f"{path}: " in printed
    assert printed.endswith("4 images checked: 2 problems\n")


def test_what_is_not_checked_is_refused(capsys, tmp_path):
    with pytest.raises(ValueError, match="holds no images of your own: neither folders like"):
        check(capsys, f"--dataset_dir={tmp_path}")
    with pytest.raises(FileNotFoundError, match="directory is missing"):
        check(capsys, f"--dataset_dir={tmp_path / 'none'}")
