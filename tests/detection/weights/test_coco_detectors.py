"""The published detectors by name: COCO's ids as classes, those never used never reported."""

import json
import tarfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.detection.inference.predictor import Predictor
from nasnet_keras.detection.inference.trained_detector import load_trained_detector
from nasnet_keras.detection.training.start import start_detector_from
from nasnet_keras.detection.weights.coco import COCO_IDS, COCO_NAMES, COCO_UNUSED
from nasnet_keras.detection.weights.detector_names import detector_variables
from nasnet_keras.layers import initializer as initializer_file
from nasnet_keras.weights import catalogue
from nasnet_keras.weights.catalogue import COCO, PublishedWeights
from nasnet_keras.weights.published_files import published_file
from tests.detection_network import as_numpy, tiny_batch, tiny_config
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_archive

UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)


def test_classes_are_cocos_ids() -> None:
    assert len(COCO_IDS) == len(COCO_NAMES) == len(set(COCO_NAMES)) == 90
    assert [COCO_IDS[k] for k in COCO_UNUSED] == list(UNUSED)
    names = dict(zip(COCO_IDS, COCO_NAMES, strict=True))
    assert [names[k] for k in (1, 18, 90)] == ["person", "dog", "toothbrush"]
    assert [k for k in names if names[k].startswith("unused ")] == list(UNUSED)


def test_a_class_that_stands_for_nothing_is_never_detected() -> None:
    batch = {name: tiny_batch()[name] for name in ("images", "image_sizes")}
    model = nk.FasterRCNN(tiny_config(), seed=0)
    model.box_head.logits_dense.bias.assign([0.0, 0.0, 9.0, 0.0])
    assert 1 in as_numpy(model(batch)["labels"])
    model.config = model.config.replace(unused_classes=(1,))
    found = as_numpy(model(batch))
    assert 1 not in found["labels"] and (found["count"] > 0).all()
    with pytest.raises(ValueError, match="unused_classes has 3, but classes=3"):
        tiny_config(unused_classes=(0, 3))


@pytest.fixture
def published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Path, dict[str, np.ndarray]]:
    """A small detector's name, its archive in the cache, and the values in it."""
    pytest.importorskip("tensorflow")
    variables = detector_variables(nk.FasterRCNN(tiny_config(classes=90)))
    values = {name: golden_value(name, tuple(v.shape)) for name, v in variables.items()}
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    archive = write_archive(tmp_path / "models" / "tiny.tar.gz", values, folder="tiny/")
    configuration = nk.detection.get_config("toy").to_dict()
    configuration["detector"] = tiny_config().to_dict()
    name = str(tmp_path / "tiny.json")
    Path(name).write_text(json.dumps(configuration))
    entry = PublishedWeights(name, COCO, "http://127.0.0.1/", "tiny.tar.gz", 90, "", "", "")
    monkeypatch.setattr(catalogue, "PUBLISHED", (entry,))
    return name, archive, values


def held(detector: nk.FasterRCNN) -> dict[str, np.ndarray]:
    variables = detector_variables(detector)
    return {name: as_numpy(variable) for name, variable in variables.items()}


@pytest.mark.tensorflow
def test_a_published_detector_by_name(published: Any) -> None:
    name, archive, values = published
    by_name = nk.create_detector(name, weights="coco", evaluation_proposals=5)
    assert (by_name.config.classes, by_name.config.unused_classes) == (90, COCO_UNUSED)
    assert by_name.config.evaluation_proposals == 5
    archive_alone = nk.create_detector(name, weights=archive)
    assert (archive_alone.config.classes, archive_alone.config.unused_classes) == (90, COCO_UNUSED)
    others = nk.create_detector(name, weights=f"coco:{name}", unused_classes=())
    assert others.config.unused_classes == ()
    for detector in (by_name, archive_alone, others):
        for each, value in held(detector).items():
            np.testing.assert_array_equal(value, values[each])
    with pytest.raises(ValueError, match="no published weights 'coco' of 'toy'"):
        nk.create_detector("toy", weights="coco")
    with pytest.raises(ValueError, match="has 90 classes and the detector 5"):
        nk.create_detector(name, weights="coco", classes=5)


@pytest.mark.tensorflow
def test_a_published_detector_is_used_as_a_trained_one(published: Any) -> None:
    name, _, values = published
    trained = load_trained_detector(f"coco:{name}", evaluation_proposals=5)
    assert (trained.class_names, trained.category_ids) == (COCO_NAMES, COCO_IDS)
    assert trained.config is not None and trained.config.training.detector.classes == 90
    assert trained.model.config.evaluation_proposals == 5 and not trained.keep_aspect
    np.testing.assert_array_equal(held(trained.model)["Conv/biases"], values["Conv/biases"])
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3)).astype("uint8")
    found = Predictor(trained, min_score=0.0).predict(pixels)
    assert len(found) and not {*found.category_ids} & {*UNUSED}
    names = dict(zip(COCO_IDS, COCO_NAMES, strict=True))
    assert [names[each] for each in found.category_ids] == list(found.names)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["archive", "directory", "prefix", "converted"])
def test_a_published_archive_says_which_detector_it_is(
    kind: str, published: Any, tmp_path: Path
) -> None:
    _, archive, values = published
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    path = {"archive": archive, "directory": tmp_path / "tiny"}.get(kind)
    if kind == "prefix":
        path = tmp_path / "tiny" / "model.ckpt"
    if kind == "converted":
        path = published_file(catalogue.PUBLISHED[0])
    assert path is not None
    trained = load_trained_detector(path)
    assert (trained.class_names, trained.category_ids) == (COCO_NAMES, COCO_IDS)
    assert trained.model.config.unused_classes == COCO_UNUSED and trained.step == 0
    for each, value in held(trained.model).items():
        np.testing.assert_array_equal(value, values[each])
    with pytest.raises(ValueError, match="has 90 classes, got 2 names"):
        load_trained_detector(path, ["cat", "dog"])


@pytest.mark.tensorflow
def test_weights_that_are_loaded_are_not_drawn_first(
    published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    for initializer in (keras.initializers.TruncatedNormal, keras.initializers.VarianceScaling):
        monkeypatch.setattr(initializer, "__call__", lambda *_, **__: drawn.append(1))
    monkeypatch.setattr(initializer_file, "_quantiles", lambda: drawn.append(1))
    name, _, values = published
    detector = nk.create_detector(name, weights="coco")
    assert not drawn
    for each, value in held(detector).items():
        np.testing.assert_array_equal(value, values[each])
    monkeypatch.undo()
    # Outside of it, kernels are drawn as ever.
    assert all(as_numpy(v).std() > 0 for v in nk.FasterRCNN(tiny_config()).weights if v.ndim > 1)


@pytest.mark.tensorflow
@pytest.mark.parametrize("by_name", [True, False])
def test_training_on_other_classes_starts_from_a_published_detector(
    by_name: bool, published: Any
) -> None:
    name, archive, values = published
    model = nk.FasterRCNN(tiny_config())
    before = held(model)
    line = start_detector_from(model, f"coco:{name}" if by_name else archive)
    assert "4 left as they were, excluded: box_head" in line
    for each, value in held(model).items():
        is_head = each.startswith("SecondStageBoxPredictor/")
        np.testing.assert_array_equal(value, (before if is_head else values)[each])
