"""Published networks by name, and detectors of others by path: one predictor, and the page."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.data.numpy_preprocessing import preprocess_picture
from nasnet_keras.demo import serve
from nasnet_keras.detection.inference.predictor import Predictor as DetectorPredictor
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.programs.demo import PROGRAM
from nasnet_keras.programs.export_classifier import PROGRAM as EXPORT
from nasnet_keras.publishing import push_to_hub
from nasnet_keras.serving import load_predictor
from nasnet_keras.weights.imagenet_classes import BACKGROUND
from tests.detection_network import tiny_config
from tests.serving.colour_network import write_colour_network
from tests.stand_ins import CLASSES, DETECTORS, stand_ins

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow
PIXELS = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
ARCHIVE = "faster_rcnn_nas_coco_2018_01_28.tar.gz"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with stand-ins of the published files, which a server has too."""
    folder = tmp_path_factory.mktemp("published") / "files"
    with stand_ins(folder):
        configuration = nk.detection.get_config("toy").to_dict()
        configuration["detector"] = tiny_config(classes=9).to_dict()
        (folder / "tiny.json").write_text(json.dumps(configuration))
        yield folder


@pytest.mark.parametrize(
    ("name", "network", "classes"),
    [
        ("imagenet:nasnet_mobile", "nasnet_mobile", CLASSES),
        ("imagenet_slim:pnasnet_mobile", "pnasnet_mobile", (BACKGROUND, *CLASSES)),
    ],
)
def test_a_published_classifier_is_asked_by_name(
    name: str, network: str, classes: tuple[str, ...], files: Path
) -> None:
    predictor = load_predictor(name, top_k=3)
    described = predictor.description
    assert described.class_names == classes and described.preprocessing == "inception"
    found = predictor.predict(PIXELS)
    model = nk.create_model(network, len(classes), weights=name.partition(":")[0])
    images = preprocess_picture(PIXELS, "inception", described.image_size[0])[np.newaxis]
    expected = np.asarray(model(images, training=False))[0]
    best = np.argsort(-expected, kind="stable")[:3]
    assert found.names == tuple(classes[label] for label in best)
    np.testing.assert_allclose(found.scores, expected[best], rtol=1e-4)


def test_a_published_classifier_is_exported_by_name(files: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    given = ("--checkpoint_path=imagenet:nasnet_mobile", f"--output_dir={tmp_path / 'out'}")
    EXPORT.main(*EXPORT.parse(*given, "--format=onnx", "--max_check_images=1"))
    expected = load_predictor("imagenet:nasnet_mobile").predict(PIXELS)
    exported = load_predictor(tmp_path / "out" / "model.onnx")
    assert exported.description.accuracy is None
    found = exported.predict(PIXELS)
    assert found.names == expected.names
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


@pytest.mark.parametrize("kind", ["name", "with a configuration"])
def test_an_original_detector_is_asked_as_a_trained_one(
    kind: str, files: Path, tmp_path: Path
) -> None:
    path, options = f"coco:{DETECTORS[0]}", {}
    if kind == "with a configuration":
        path = str(tmp_path / "mine.tar.gz")
        Path(path).write_bytes((files / ARCHIVE).read_bytes())
        options: Any = {"config": str(files / "tiny.json")}
        options["class_names"] = tuple(f"a{number}" for number in range(90))
    trained = load_trained_detector(path, **options)
    expected = DetectorPredictor(trained, 0.1).predict(PIXELS)
    found = load_predictor(path, min_score=0.1, **options).predict(PIXELS)
    assert {*found.names} == {"a17" if options else "dog"} and found.names == expected.names
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_what_does_not_go_together_is_one_line(files: Path, tmp_path: Path) -> None:
    onnx = write_colour_network(tmp_path / "model.onnx")
    other = tmp_path / "mine.tar.gz"
    other.write_bytes((files / ARCHIVE).read_bytes())
    for path, options, line in (
        (f"coco:{DETECTORS[0]}", {"image_size": 64}, "is a detector: its image size"),
        ("coco:toy", {}, "no published weights 'coco' of 'toy'"),
        ("imagenet:nasnet_mobil", {}, "no published weights 'imagenet' of 'nasnet_mobil'; there"),
        ("timm:nasnet_mobile", {}, "there are: imagenet, imagenet_slim"),
        ("imagenet:nasnet_mobile", {"config": "toy"}, "is a classifier: it takes no config"),
        (onnx, {"class_names": ("a",)}, "is an exported file: it takes no class_names"),
        (other, {}, "does not say which detector it is: give its configuration"),
    ):
        with pytest.raises(ValueError, match=line) as caught:
            load_predictor(path, **options)
        assert "\n" not in str(caught.value)


def test_the_page_takes_a_published_detector(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    # Pictures of whoever starts it are not the network's.
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "private.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    pages = []

    @contextlib.contextmanager
    def served(make_page: Any, host: str, port: int) -> Iterator[str]:
        pages.append(make_page())
        raise KeyboardInterrupt
        yield host

    monkeypatch.setattr(serve, "served", served)
    monkeypatch.setattr(serve, "check_port", lambda host, port: None)
    for model in (f"coco:{DETECTORS[1]}", str(files / ARCHIVE)):
        with pytest.raises(KeyboardInterrupt):
            PROGRAM.main(*PROGRAM.parse(f"--model={model}"))
        assert "90 classes, 64 × 64 pixels" in json.dumps(
            pages.pop().get_config_file(), ensure_ascii=False, default=str
        )


def test_others_weights_are_not_sent_to_the_hub(files: Path) -> None:
    pytest.importorskip("huggingface_hub")
    for given in ("imagenet:nasnet_mobile", f"coco:{DETECTORS[0]}", files / ARCHIVE):
        with pytest.raises(ValueError, match="others published are not sent on: send what you"):
            push_to_hub(given, "owner/name")
