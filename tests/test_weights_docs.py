"""What the pages on published weights say runs, with small stand-ins for the files."""

import importlib
import json
import re
import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import nasnet_keras as nk
from nasnet_keras.detection.data import write_toy_dataset
from nasnet_keras.programs.verbs import programs
from nasnet_keras.weights.slim_names import network_variables
from tests.detection.data.coco_directory import annotation, write_coco
from tests.stand_ins import DETECTORS, DOG, detector_values, network_values, stand_ins
from tests.weights.checkpoints import write_frozen_graph

pytest.importorskip("tensorflow")
pytest.importorskip("safetensors")
pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parent.parent
PAGES = ("docs/weights.md", "docs/migration.md")
# A block, or the right-hand side of a table.
SNIPPETS = re.compile(r"^```(?:py|sh)\n([\s\S]*?)^```|^\|.*\| `([^`]*)` \|$", re.MULTILINE)
MODULES = dict(programs())
# Added to what a page shows: steps of real size are not for tests.
SHORTER = {
    "train.py": ("--max_number_of_steps=1", "--check_secs=0"),
    "evaluate.py": ("--check_secs=0",),
}


def section(page: str, title: str) -> str:
    """Returns the part of a page below a heading."""
    return (ROOT / page).read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def snippets(page: str) -> list[str]:
    """Returns what a page shows to be run: blocks, and the right-hand side of its tables."""
    text = (ROOT / page).read_text()
    # The Hub's have their own tests, with a Hub that stands in.
    if hub := section(page, "The Hugging Face Hub"):
        text = text.replace(hub, "")
    found = [block or cell for block, cell in SNIPPETS.findall(text)]
    return [each for each in found if re.match(r"python |import |nk\.|\w+ = |detector", each)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with what the pages name, and small stand-ins of all that is published."""
    root = tmp_path_factory.mktemp("published")
    with stand_ins(root / "files"):
        work = root / "work"
        work.mkdir()
        for file in (root / "files").iterdir():
            (work / file.name).write_bytes(file.read_bytes())
        name = "faster_rcnn_nas_coco_2018_01_28"
        with tarfile.open(work / f"{name}.tar.gz") as tar:
            tar.extractall(work, filter="data")
        (work / "mine").mkdir()
        for file in (work / name).glob("model.ckpt*"):
            (work / "mine" / file.name).write_bytes(file.read_bytes())
        write_frozen_graph(work / name / "frozen_inference_graph.pb", detector_values())
        Image.fromarray(np.full((40, 60, 3), 90, "uint8")).save(work / "picture.jpg")
        write_toy_dataset(work / "own", train_images=2, val_images=1)
        content = {
            "images": [{"id": 4, "file_name": "a.png", "height": 40, "width": 60}],
            "annotations": [annotation(1, 4, [5, 5, 30, 20], DOG, area=600, iscrowd=0)],
            "categories": [{"id": DOG, "name": "dog"}, {"id": 44, "name": "bottle"}],
        }
        write_coco(work / "coco", content)
        yield work


def run(command: str) -> None:
    """Runs a command of a checkout within this process, in a short time."""
    python, script, *arguments = shlex.split(command)
    if arguments != ["--help"]:
        arguments += SHORTER.get(Path(script).name, ())
    assert python == "python"
    text = (ROOT / script).read_text()
    verb = re.search(r'run\("(.*)"\)', text)
    assert verb is not None, script
    program = importlib.import_module(MODULES[verb[1]]).PROGRAM
    if arguments == ["--help"]:
        return
    parsed = program.parse(*arguments)
    assert not program.main(*parsed), command


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_runs(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    keras.utils.set_random_seed(0)
    names = {"nk": nk, "images": np.zeros((1, 96, 96, 3), "float32")}
    found = snippets(page)
    assert len(found) > 10
    for snippet in found:
        if snippet.startswith("python "):
            for command in snippet.replace("\\\n", "").strip().splitlines():
                run(command)
        else:
            exec(compile(snippet, f"{page}: {snippet}", "exec"), names)


@pytest.mark.parametrize("entry", nk.list_weights(), ids=lambda entry: Path(entry.url).name)
def test_every_published_file_is_one_argument_away(entry, folder: Path) -> None:
    if entry.model in DETECTORS:
        detector = nk.create_detector(entry.model, weights=entry.name)
        assert detector.config.classes == entry.classes
        return
    model = nk.create_model(
        entry.model, include_top=entry.include_top, weights=entry.name, pooling="avg"
    )
    values = network_values(entry.model, 1000 if entry.name in ("imagenet", "timm") else 1001)
    if entry.file.endswith(".tar.gz") and entry.name == "imagenet":
        # The background is left out.
        slim = network_values(entry.model, 1001)
        heads = {k: v[..., 1:] for k, v in slim.items() if k.startswith("final_layer")}
        values = slim | heads
    for path, variable in network_variables(model).items():
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), values[path])


def test_the_commands_for_published_detectors_find_what_is_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    text = section("docs/detection.md", "The published detectors")
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = "".join(found).replace("\\\n", "").strip().splitlines()
    predict, evaluate, train = commands
    run(predict)
    (entry,) = json.loads((folder / "found" / "detections.json").read_text())
    assert {each["category_id"] for each in entry["detections"]} == {DOG}
    assert {each["name"] for each in entry["detections"]} == {"dog"}
    run(f"{evaluate} --eval_dir={tmp_path / 'eval'}")
    results = json.loads((tmp_path / "eval" / "results.json").read_text())
    assert results and {each["category_id"] for each in results} == {DOG}
    assert {each["image_id"] for each in results} == {4}
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert list(metrics["per_class"]) == ["dog", "bottle"]
    run(f"{train} --train_dir={tmp_path / 'own'}")
    assert (tmp_path / "own" / "model.keras").exists()


def test_a_converted_detector_knows_cocos_ids(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    convert = "python object_detection/convert_checkpoint.py"
    source = "faster_rcnn_nas_coco_2018_01_28/frozen_inference_graph.pb"
    run(f"{convert} --checkpoint_path={source} --output_dir={tmp_path / 'run'}")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    unused = [config["category_ids"][k] for k in config["training"]["detector"]["unused_classes"]]
    assert unused == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert [config["class_names"][k - 1] for k in (DOG, 12)] == ["dog", "unused 12"]
    predict = f"python object_detection/predict.py --checkpoint_path={tmp_path / 'run'}"
    run(f"{predict} --output_dir={tmp_path / 'found'} picture.jpg")
    (entry,) = json.loads((tmp_path / "found" / "detections.json").read_text())
    assert {each["category_id"] for each in entry["detections"]} == {DOG}
    evaluate = f"python object_detection/evaluate.py --checkpoint_path={tmp_path / 'run'}"
    run(f"{evaluate} --dataset_dir=coco --eval_dir={tmp_path / 'eval'}")
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    # The dataset has dogs only; what it has no category for has no score.
    assert [name for name, scores in metrics["per_class"].items() if scores["AP"] >= 0] == ["dog"]


def catalogue_table() -> str:
    """Returns the table of docs/weights.md."""
    head = ["model", "`weights=`", "classes", "as published", "in it", "file", "licence"]
    rows = [
        [each.model, f'`"{each.name}"`', each.classes, each.accuracy, each.holds]
        + [f"[{Path(each.url).name}]({each.url})", each.licence]
        for each in nk.list_weights()
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


# Before any test has put stand-ins in its place.
_TABLE = catalogue_table()


def test_the_table_is_the_catalogue() -> None:
    assert _TABLE in (ROOT / "docs/weights.md").read_text(), _TABLE
