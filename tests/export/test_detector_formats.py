"""Exported detectors find what the detector finds; what differs is not written."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from nasnet_keras.data.exif import turned_back
from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.inference.predictor import Predictor
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.export import detector_formats
from nasnet_keras.export.description import read_description
from nasnet_keras.export.detector.writers import DETECTOR_FORMATS
from nasnet_keras.export.detector_check import LIMITS, compare_detections
from nasnet_keras.export.detector_formats import check_export_directory, export_detector
from tests.detection_network import tiny_batch, tiny_config
from tests.export.stranger import ask

NAMES = ("red", "green", "blue")


def found(*rows):
    """Returns detections from rows of a box, a score and a label."""
    boxes, scores, labels = zip(*rows, strict=True)
    return {"boxes": np.array(boxes, float), "scores": np.array(scores), "labels": np.array(labels)}


def test_comparison_sees_what_moved_and_what_is_missing():
    ours = found(([0, 0, 10, 10], 0.9, 1), ([5, 5, 9, 9], 0.2, 0), ([0, 0, 0, 0], 0, -1))
    same = compare_detections([ours], [ours])
    assert same.agrees() and (same.detections, same.above, same.least_iou) == (2, 0.3, 1.0)
    moved = found(([0, 0, 10, 9], 0.9, 1))
    assert compare_detections([ours], [moved]).least_iou == pytest.approx(0.9)
    assert not compare_detections([ours], [moved]).agrees()
    renamed = found(([0, 0, 10, 10], 0.9, 2))
    assert compare_detections([ours], [renamed]).least_iou == 0
    more = found(([0, 0, 10, 10], 0.9, 1), ([50, 50, 60, 60], 0.8, 2))
    assert not compare_detections([ours], [more]).agrees()
    surer = found(([0, 0, 10, 10], 0.95, 1))
    assert compare_detections([ours], [surer]).score_difference == pytest.approx(0.05)
    assert not compare_detections([ours], [surer]).agrees()
    # Where the detector is sure of nothing, its best ones are compared; nothing at all is no proof.
    unsure = found(([0, 0, 10, 10], 0.1, 1))
    assert compare_detections([unsure], [unsure]).above == 0.05
    nothing = found(([0, 0, 0, 0], 0.0, -1))
    assert not compare_detections([nothing], [nothing]).agrees()


def test_half_precision_may_move_a_box_and_decide_another_way_between_few():
    ours = [([0, 10 * i, 9, 10 * i + 9], 0.9, 1) for i in range(10)]
    moved = [([0, 10 * i, 9, 10 * i + 8.9], 0.88, 1) for i in range(10)]
    halves = LIMITS["float16"]
    comparison = compare_detections([found(*ours)], [found(*moved)])
    assert comparison.agrees(halves) and not comparison.agrees()
    assert compare_detections([found(*ours)], [found(*moved[1:])]).agrees(halves)
    assert not compare_detections([found(*ours)], [found(*moved[3:])]).agrees(halves)
    other = [(box, 0.8, label) for box, _, label in moved]
    assert not compare_detections([found(*ours)], [found(*other)]).agrees(halves)


def test_what_cannot_be_exported_is_refused_first(tmp_path):
    with pytest.raises(ValueError, match="saved_model has no float16: it is written in float32"):
        check_export_directory(tmp_path, ["saved_model"], False, "float16")
    with pytest.raises(ValueError, match="unknown format 'litret'; did you mean 'litert'"):
        check_export_directory(tmp_path, ["litret"], False)
    with pytest.raises(ValueError, match="onnx has no int8: it is written in float32, float16"):
        check_export_directory(tmp_path, ["onnx"], False, "int8")
    (tmp_path / "detector.tflite").write_bytes(b"old")
    with pytest.raises(ValueError, match=r"detector\.tflite is there already"):
        check_export_directory(tmp_path, ["litert"], False)
    check_export_directory(tmp_path, ["litert"], True)


@pytest.mark.tensorflow
def test_program_names_the_picture_that_it_cannot_read(tmp_path):
    root = Path(__file__).parents[2]
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bad.jpg").write_text("no picture")
    # Of files, only the archive of a classifier is told from a detector's before it is loaded.
    (tmp_path / "detector.h5").write_bytes(b"")
    done = subprocess.run(
        [
            sys.executable,
            str(root / "object_detection/export.py"),
            f"--checkpoint_path={tmp_path / 'detector.h5'}",
            f"--output_dir={tmp_path / 'exported'}",
            f"--check_images={tmp_path / 'good.png'},{tmp_path / 'bad.jpg'}",
        ],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert f"error: {tmp_path / 'bad.jpg'}: not a readable image: no image" in done.stderr


@pytest.fixture(scope="module")
def served():
    keras.utils.set_random_seed(4)
    model = FasterRCNN(tiny_config())
    kernel = model.box_head.logits_dense.kernel
    # Sure of something, without the minutes of training it.
    kernel.assign(kernel * 20.0)
    return TrainedDetector(model, NAMES, (7, 8, 11), keep_aspect=True)


@pytest.fixture(scope="module")
def pictures():
    images = tiny_batch()["images"]
    return [images[0], np.repeat(images[1], 2, axis=1), images[0][:40]]


@pytest.mark.tensorflow
def test_every_format_finds_the_same(served, pictures, tmp_path):
    formats = ["saved_model", "litert"]
    formats += [name for name in ("onnx", "openvino") if importlib.util.find_spec(name)]
    compared = export_detector(served, tmp_path / "out", formats, pictures)
    assert set(compared) == set(formats)
    for comparison in compared.values():
        assert comparison.agrees() and comparison.detections >= 4 and comparison.above == 0.3
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"saved_model", "detector.tflite", "labels.txt", "detector.json"} <= names
    assert not any(name.startswith(".") for name in names)
    description = json.loads((tmp_path / "out/detector.json").read_text())
    assert description["image_size"] == [64, 64] and description["keep_aspect"]
    for name in formats:
        described = read_description(tmp_path / "out" / DETECTOR_FORMATS[name].files[0])
        assert (described.kind, described.class_names) == ("detector", NAMES)
        assert (described.preprocessing, described.category_ids) == ("pad", (7, 8, 11))
    check_fewer_bits(served, pictures, tmp_path, formats)

    import tensorflow as tf

    signatures = tf.saved_model.load(str(tmp_path / "out/saved_model")).signatures
    assert {"serving_default", "serve_bytes"} <= set(signatures)
    encoded = [tf.io.encode_png(picture) for picture in pictures]
    answer = signatures["serve_bytes"](image_bytes=tf.stack(encoded))
    assert answer["boxes"].shape == (3, 6, 4)
    for row, picture in enumerate(pictures):
        boxes, count = answer["boxes"][row].numpy(), int(answer["count"][row])
        assert count and (boxes[:, 2] <= picture.shape[0]).all()
        words = [name.decode() for name in answer["names"][row].numpy()]
        labels = answer["labels"][row].numpy()
        assert words == [NAMES[label] if label >= 0 else "" for label in labels]
    check_photographs(signatures["serve_bytes"], served, pictures[2])
    check_requests(tmp_path / "out/saved_model", pictures, answer)


def check_fewer_bits(served, pictures, tmp_path, formats):
    """Checks that fewer bits take less space and find the same."""
    for precision in ("float16", "int8"):
        some = [name for name in formats if precision in DETECTOR_FORMATS[name].precisions]
        target = tmp_path / precision
        compared = export_detector(served, target, some, pictures, precision=precision)
        for name in some:
            assert compared[name].detections >= 4 and compared[name].agrees(LIMITS[precision])
            file = DETECTOR_FORMATS[name].files[0]
            assert read_description(target / file).precision == precision
            sizes = [(folder / file).stat().st_size for folder in (target, tmp_path / "out")]
            # Of a network as small as this, the graph is most of a file.
            assert sizes[0] < 0.85 * sizes[1]


def check_photographs(serve_bytes, served, pixels):
    """Checks that boxes are those of the picture as a viewer shows it, as `predict` gives them."""
    import tensorflow as tf

    tag = Image.Exif()
    predictor = Predictor(served, min_score=0.1)
    upright = predictor.predict(pixels)
    assert len(upright) and upright.size == (40, 64)
    encoded, expected = [], []
    for orientation, kind in ((3, "PNG"), (6, "PNG"), (6, "JPEG"), (7, "JPEG")):
        tag[0x0112] = orientation
        stream = io.BytesIO()
        Image.fromarray(turned_back(pixels, orientation)).save(stream, kind, exif=tag)
        encoded.append(stream.getvalue())
        expected.append(predictor.predict(encoded[-1]))
        assert expected[-1].size == (40, 64)
        if kind == "PNG":
            np.testing.assert_array_equal(expected[-1].boxes, upright.boxes)
    answer = {name: x.numpy() for name, x in serve_bytes(image_bytes=tf.stack(encoded)).items()}
    for row, picture in enumerate(expected):
        # The resizing of the two differs in the last bits.
        count = len(picture)
        np.testing.assert_allclose(answer["boxes"][row, :count], picture.boxes, atol=1e-2)
        np.testing.assert_allclose(answer["scores"][row, :count], picture.scores, atol=1e-4)
        names = [name.decode() for name in answer["names"][row, :count]]
        assert tuple(names) == picture.names and (answer["scores"][row, count:] < 0.1).all()


def check_requests(saved_model, pictures, expected):
    """Checks what a server answers to bad requests, and to good ones after them."""
    images = tiny_batch()["images"][:1].astype("float32")
    sizes = np.full((1, 2), 64, "float32")
    no_image = "is not compatible with expected shape [?,?,?,3]"
    no_sizes = "is not compatible with expected shape [?,2]"
    from_one = "image_sizes must be heights and widths from 1 to those of images"
    rows = "image_sizes has not as many rows as images"
    cases = [
        (images[0], sizes, no_image),
        (np.float32(1), sizes, no_image),
        (images[np.newaxis], sizes, no_image),
        (images[..., :1], sizes, no_image),
        (images[..., :0], sizes, no_image),
        (images[:0], sizes[:0], "images is empty"),
        (images[:, :0], sizes, "images has fewer than 3 rows or columns"),
        (images[:, :2, :2], sizes * 0 + 2, "images has fewer than 3 rows or columns"),
        (images * np.float32("nan"), sizes, "images has a value that is no number"),
        (images + np.float32(1e38), sizes, "images has a value that is no number"),
        (images.astype("int64"), sizes, "expect"),
        (images, sizes[0], no_sizes),
        (images, np.zeros((1, 3), "float32"), no_sizes),
        (images, np.repeat(sizes, 2, 0), rows),
        (images, sizes[:0], rows),
        (images, sizes * 0, from_one),
        (images, sizes + 1, from_one),
        (images, sizes * np.float32("nan"), from_one),
    ]
    files = np.empty(3, object)
    gif = io.BytesIO()
    Image.fromarray(pictures[0]).save(gif, "GIF")
    png = io.BytesIO()
    Image.fromarray(pictures[0]).save(png, "PNG")
    files[:] = gif.getvalue(), png.getvalue(), b""
    requests = [{"images": image, "image_sizes": size} for image, size, _ in cases]
    answers = ask(saved_model, [*requests, {"image_bytes": files}])
    for (_, _, message), pair in zip(cases, answers, strict=False):
        for answer in pair:
            assert isinstance(answer, str) and message in answer
    for answer in answers[-1]:
        refused, fine, nothing = (line.decode() for line in answer["status"])
        assert refused.startswith("image_bytes holds a GIF image, but serve_bytes takes")
        assert fine == "" and nothing.startswith("image_bytes holds no bytes, but")
        for row in (0, 2):
            assert answer["count"][row] == 0 and not answer["boxes"][row].any()
            assert not answer["scores"][row].any() and set(answer["labels"][row]) == {-1}
            assert set(answer["names"][row]) == {b""}
        for name in ("boxes", "scores", "labels", "count"):
            np.testing.assert_allclose(answer[name][1], expected[name][0], rtol=1e-4, atol=1e-4)


@pytest.mark.tensorflow
def test_what_differs_is_not_written(served, pictures, tmp_path, monkeypatch):
    def wrong(served, precision, path):
        path.write_bytes(b"another detector")

    def nothing(served, precision, path, checked):
        empty = {"boxes": np.zeros((1, 4)), "scores": np.zeros(1), "labels": -np.ones(1, int)}
        return [compare_detections([p.found for p in checked], [empty] * len(checked))]

    another = replace(DETECTOR_FORMATS["litert"], write=wrong, compare=nothing)
    monkeypatch.setattr(detector_formats, "DETECTOR_FORMATS", {"litert": another})
    message = r"litert in float32 differs from the detector .* IoU at least 0\.0"
    with pytest.raises(ValueError, match=message):
        export_detector(served, tmp_path, ["litert"], pictures)
    assert not list(tmp_path.iterdir())
