"""`object_detection/` on a detector of the original's, taken by path."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import nasnet_keras as nk
from nasnet_keras.detection.inference.predictor import Predictor
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.detection.weights.detector_names import CLASS_BIASES, detector_variables
from nasnet_keras.export.network_kind import check_is_detector
from nasnet_keras.programs.detect.eval import PROGRAM
from tests.detection.data.coco_directory import two_images, write_coco
from tests.detection_network import tiny_config
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_archive, write_checkpoint

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parents[2]


def run(program: str, *arguments: str, **flags: object) -> subprocess.CompletedProcess:
    given = [f"--{name}={value}" for name, value in flags.items()]
    command = [sys.executable, f"object_detection/{program}.py", *given, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A directory with an archive and a checkpoint of three classes, and their configuration."""
    folder = tmp_path_factory.mktemp("original")
    variables = detector_variables(nk.FasterRCNN(tiny_config()))
    values = {name: golden_value(name, tuple(v.shape)) for name, v in variables.items()}
    # It sees the classes 2 and 3 wherever it looks.
    values[CLASS_BIASES] = np.asarray([0, 0, 5, 6], "float32")
    write_archive(folder / "mine.tar.gz", values, folder="mine/")
    write_checkpoint(folder / "model.ckpt", values)
    configuration = nk.detection.get_config("toy").to_dict()
    configuration["detector"] = tiny_config(classes=9).to_dict()
    config = folder / "tiny.json"
    config.write_text(json.dumps(configuration))
    return folder, str(config)


def test_predict_takes_a_checkpoint_by_its_prefix(original: Any, tmp_path: Path) -> None:
    folder, config = original
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), "uint8")
    picture = tmp_path / "picture.png"
    Image.fromarray(pixels).save(picture)
    prefix, found = folder / "model.ckpt", tmp_path / "found"
    names = "cat,dog,cow"
    flags: Any = {"checkpoint_path": prefix, "config": config, "class_names": names}
    done = run("predict", str(picture), output_dir=found, min_score=0, **flags)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads((found / "detections.json").read_text())
    trained = load_trained_detector(prefix, names.split(","), config=config)
    expected = Predictor(trained, min_score=0.0).predict(picture)
    assert {each["name"] for each in entry["detections"]} == {"dog", "cow"}
    for theirs, ours in zip(entry["detections"], expected.to_list(), strict=True):
        assert (theirs["name"], theirs["category_id"]) == (ours["name"], ours["category_id"])
        np.testing.assert_allclose(theirs["box"], ours["box"], atol=1e-3)
    assert [names.split(",")[k - 1] for k in expected.category_ids] == list(expected.names)


def test_evaluate_scores_an_archive_by_the_datasets_ids(original: Any, tmp_path: Path) -> None:
    folder, config = original
    data = write_coco(tmp_path / "data", two_images())  # Its categories are 3 and 7.
    done = run(
        "evaluate",
        checkpoint_path=folder / "mine.tar.gz",
        config=config,
        dataset_dir=data,
        eval_dir=tmp_path / "eval",
    )
    assert done.returncode == 0, done.stderr
    assert f"{folder / 'mine.tar.gz'}, step 0: 2 images of val" in done.stdout
    results = json.loads((tmp_path / "eval" / "results.json").read_text())
    assert results and {each["category_id"] for each in results} == {3}


def test_evaluate_takes_the_names_that_the_dataset_has(
    original: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config = original
    data = write_coco(tmp_path / "data", two_images())  # Its cat is 3 and its dog 7.

    def evaluate(names: str, *flags: str) -> set[int]:
        place = tmp_path / "eval"
        given = (f"--checkpoint_path={folder / 'mine.tar.gz'}", f"--config={config}")
        given += (f"--dataset_dir={data}", f"--class_names={names}", f"--eval_dir={place}")
        PROGRAM.main(*PROGRAM.parse(*given, "--check_secs=0", *flags))
        results = json.loads((place / "results.json").read_text())
        return {each["category_id"] for each in results}

    assert evaluate("bird,dog,cat") == {3, 7}
    assert evaluate("dog,bird,cat") == {3}
    with pytest.raises(ValueError, match="objects of 'dog', but none of the detector's 3 classes"):
        evaluate("bird,hound,cat")
    capsys.readouterr()
    assert evaluate("bird,hound,cat", "--drop_invalid") == {3}
    assert "val: 0 images and 1 boxes are left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match="has 3 classes, got 2 names"):
        evaluate("dog,cat")


def test_a_file_that_does_not_say_its_network_is_one_line(original: Any, tmp_path: Path) -> None:
    folder, _ = original
    picture, found = tmp_path / "picture.png", tmp_path / "found"
    Image.new("RGB", (8, 8)).save(picture)
    prefix = folder / "model.ckpt"
    check_is_detector(prefix)  # The export program leaves it to the loader too.
    done = run("predict", str(picture), checkpoint_path=prefix, output_dir=found)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not found.exists()
    assert f"{prefix} does not say which detector it is: give its configuration" in done.stderr


@pytest.mark.parametrize(
    ("file", "content", "config", "message"),
    [
        ("model.ckpt", {"final_layer/FC/biases": 3}, None, "holds a classifier, not a detector"),
        ("model.ckpt", {"BoxPredictor_0/biases": 3}, "tiny", "holds no Faster R-CNN of the TF"),
        ("cut.tar.gz", b"cut", "tiny", "is not a complete archive"),
        ("picture.jpg", b"cut", None, "is not a readable checkpoint"),
        ("mine", None, "toy", "mine.ckpt does not fit model"),
        ("mine", None, "tyo", "did you mean 'toy'"),
        ("nowhere", None, "tiny", "no such trained network"),
        ("kept.keras", b"", "toy", "config='toy' is for a detector of the TF Object Detection API"),
    ],
)
def test_what_is_no_such_detector_is_one_line(
    file: str, content: Any, config: str | None, message: str, original: Any, tmp_path: Path
) -> None:
    folder, tiny = original
    path = tmp_path / file
    if file == "mine":
        for part in folder.glob("model.ckpt*"):
            (tmp_path / part.name.replace("model", "mine")).write_bytes(part.read_bytes())
        path = tmp_path / "mine.ckpt"
    elif isinstance(content, dict):
        write_checkpoint(path, {name: np.zeros(size, "f4") for name, size in content.items()})
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        load_trained_detector(path, config=tiny if config == "tiny" else config)
    assert "\n" not in str(error.value)
